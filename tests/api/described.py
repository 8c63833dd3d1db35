"""The API's own description: what it lacks, and what answers have that it does not say (R45)."""

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import ROOMS

PROBLEM = "application/problem+json"
EMPTY = ("204", "304")
ALTERNATIVES = ("anyOf", "oneOf", "allOf")
PLAIN = "text/plain"
"""Neither fields nor an example body: figures for Prometheus."""


class Description:
    """A document, and what somebody who has nothing else would miss in it."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def faults(self) -> list[str]:
        """All of them; none when the document is complete."""
        found: list[str] = []
        ids = [one["operationId"] for _, one in self._operations()]
        found += [f"operationId {one} is not unique" for one in set(ids) if ids.count(one) > 1]
        for place, operation in self._operations():
            found += [f"{place}: {what}" for what in self._of_operation(operation)]
        found += [f"{name}: {what}" for name, what in self._of_schemas()]
        return found

    def _operations(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path, operations in self._document["paths"].items():
            for method, operation in operations.items():
                yield f"{method.upper()} {path}", operation

    def _of_operation(self, operation: dict[str, Any]) -> Iterator[str]:
        for word in ("summary", "description", "tags"):
            if not operation.get(word):
                yield f"has no {word}"
        for parameter in operation.get("parameters", ()):
            if not parameter.get("description"):
                yield f"parameter {parameter['name']} is not described"
        answers: dict[str, Any] = operation["responses"]
        if not any(status.startswith("2") for status in answers):
            yield "has no successful answer"
        if PROBLEM not in answers.get("4XX", {}).get("content", {}):
            yield "its refusals are not described"
        if not answers.get("503", {}).get("content"):
            yield "what it answers in an outage is not described"
        for status, answer in answers.items():
            if status not in EMPTY:
                for kind, content in answer.get("content", {"": {}}).items():
                    yield from self._of_content(f"answer {status}", kind, content)
        if "requestBody" in operation:
            for kind, content in operation["requestBody"]["content"].items():
                yield from self._of_content("body", kind, content)

    def _of_content(self, what: str, kind: str, content: dict[str, Any]) -> Iterator[str]:
        schema = content.get("schema")
        if not schema:
            yield f"{what} is not typed"
            return
        examples = [content["example"]] if "example" in content else []
        examples += self._resolved(schema).get("examples", [])
        if not examples and kind != PLAIN:
            yield f"{what} has no example"
        validator = jsonschema_rs.validator_for(_whole(schema, self._document))
        for example in examples:
            for error in validator.iter_errors(example):
                yield f"{what}: its example does not fit: {error.instance_path} {error.message}"

    def _of_schemas(self) -> Iterator[tuple[str, str]]:
        for name, schema in self._document["components"]["schemas"].items():
            if not schema.get("description"):
                yield name, "is not described"
            for field, one in schema.get("properties", {}).items():
                if not self._is_described(one):
                    yield f"{name}.{field}", "is not described"
                if "const" in one or "enum" in one or _is_typed(one):
                    continue
                yield f"{name}.{field}", "is not typed"

    def _is_described(self, schema: dict[str, Any]) -> bool:
        """Whether a field's meaning is said, by itself or by what it is."""
        if schema.get("description"):
            return True
        parts = [one for word in ALTERNATIVES for one in schema.get(word, ())]
        parts += [schema["items"]] if "items" in schema else []
        named = [one for one in (schema, *parts) if "$ref" in one]
        return any(self._resolved(one).get("description") for one in named)

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        found: dict[str, Any] = self._document["components"]["schemas"][name] if name else schema
        return found


def _whole(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A schema with the components that it needs: a validator of all of them takes its time."""
    every = document["components"]["schemas"]
    needed: dict[str, Any] = {}
    pending: list[Any] = [schema]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name in every and name not in needed:
                needed[name] = every[name]
                pending.append(every[name])
            pending += one.values()
        elif isinstance(one, list):
            pending += one
    return {**schema, "components": {"schemas": needed}}


def _is_typed(schema: dict[str, Any]) -> bool:
    """Whether a schema says what there is, down to what lists hold."""
    if any(word in schema for word in ALTERNATIVES):
        return all(_is_typed(one) for word in ALTERNATIVES for one in schema.get(word, ()))
    if schema.get("type") == "array":
        return (
            _is_typed(schema.get("items") or {"type": "array"})
            if "items" in schema
            else ("prefixItems" in schema)
        )
    return "$ref" in schema or "type" in schema or "const" in schema


class Closed:
    """The document with nothing allowed in an answer that it does not name."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = copy.deepcopy(document)
        self._validators: dict[tuple[str, str, str], Any] = {}
        for schema in self._document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)

    def differences(self, method: str, path: str, status: int, answer: Any) -> list[str]:
        """What of an answer in JSON is not as described."""
        place = f"{method} {path} {status}"
        described = self._document["paths"][path][method.lower()]["responses"]
        told = described.get(str(status)) or (described["4XX"] if status // 100 == 4 else None)
        if told is None:
            return [f"{place} is not described"]
        found = self._validator(method, path, str(status), told).iter_errors(answer)
        return [f"{place} {one.instance_path}: {one.message}" for one in found]

    def _validator(self, method: str, path: str, status: str, told: dict[str, Any]) -> Any:
        made = self._validators.get((method, path, status))
        if made is None:
            (content, *_) = told["content"].values()
            whole = _whole(content["schema"], self._document)
            made = self._validators[method, path, status] = jsonschema_rs.validator_for(whole)
        return made


_KNOWN: list[Closed] = []


def closed(app: FastAPI) -> Closed:
    """What the application says of its answers: made once, for every application says the same."""
    if not _KNOWN:
        _KNOWN.append(Closed(app.openapi()))
    return _KNOWN[0]


def route_of(method: str, path: str) -> str | None:
    """The path of the described route that a request is for, as the document has it."""
    for room in ROOMS:
        for route in room.router.routes:
            if (
                isinstance(route, APIRoute)
                and route.include_in_schema
                and method in (route.methods or ())
                and route.path_regex.match(path)
            ):
                return route.path_format
    return None


def fields_asked(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every field of a body and every parameter of a query of ours: where, its name, its schema.

    What partners send is in their own form.
    """
    found: list[tuple[str, str, dict[str, Any]]] = []
    schemas = document["components"]["schemas"]
    known: set[str] = set()

    def walk(schema: Any, where: str) -> None:
        if not isinstance(schema, dict):
            return
        name = schema.get("$ref", "").rpartition("/")[2]
        if name:
            if name not in known:
                known.add(name)
                walk(schemas[name], name)
            return
        for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            walk(one, where)
        walk(schema.get("items"), where)
        walk(schema.get("additionalProperties"), where)
        for field, inside in schema.get("properties", {}).items():
            found.append((where, field, inside))
            walk(inside, where)

    for path, operations in document["paths"].items():
        if "/callbacks/" in path:
            continue
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                walk(content.get("schema"), path)
            found += [
                (path, one["name"], one["schema"])
                for one in operation.get("parameters", ())
                if one["in"] == "query"
            ]
    return found
