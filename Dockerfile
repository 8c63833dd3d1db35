# The service without a database of its own: DATABASE_URL names a PostgreSQL 16 or newer.
FROM python:3.12-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# Every wheel is checked against the lock's hashes; what runs is installed from those alone.
COPY requirements.lock ./
RUN pip download --require-hashes --only-binary :all: -r requirements.lock -d /wheels
COPY . .
RUN python -m venv /opt/tallypost \
    && PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels /opt/tallypost/bin/pip install .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin tallypost \
    && install -d -o tallypost -g tallypost -m 0700 /data
COPY --from=build /opt/tallypost /opt/tallypost
ENV PATH=/opt/tallypost/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER tallypost
WORKDIR /data
VOLUME /data
EXPOSE 8000
# No HEALTHCHECK here: the worker runs from the same image. docker-compose.yml asks the API.
ENTRYPOINT ["tallypost"]
CMD ["api", "--host", "0.0.0.0", "--port", "8000"]
