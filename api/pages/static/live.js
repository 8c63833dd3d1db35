// Server-sent events of one order: reconnects by itself, resumes by log position, says how it is.
const AGAIN_MS = 5000;

/** Follow a stream until the signal ends; `onnews` gets the newest position, at most one at a time. */
export function follow(path, { signal, onnews, onstate }) {
  let source;
  let newest = 0;
  let reading = false;

  const read = async () => {
    if (reading) return;
    reading = true;
    try {
      for (let done = 0; done < newest && !signal.aborted;) {
        done = newest;
        await onnews(done);
      }
    } catch (problem) {
      if (!signal.aborted) onstate("waiting");
    } finally {
      reading = false;
    }
  };
  const open = () => {
    if (signal.aborted) return;
    source = new EventSource(path);
    source.onopen = () => {
      onstate("on");
      // What happened after the page was read and before the stream was there is told by nobody.
      onnews().catch(() => onstate("waiting"));
    };
    source.addEventListener("news", (event) => {
      newest = Math.max(newest, JSON.parse(event.data).position);
      read();
    });
    source.onerror = () => {
      if (signal.aborted) return;
      onstate("waiting");
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { open(); onnews(); }, AGAIN_MS);
    };
  };
  open();
  // Without a network the stream may stay silent for long before it breaks.
  addEventListener("offline", () => onstate("waiting"), { signal });
  addEventListener("online", () => { if (source.readyState === EventSource.OPEN) { onstate("on"); onnews().catch(() => onstate("waiting")); } }, { signal });
  // A page that slept may have lost its stream without being told.
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !signal.aborted) onnews().catch(() => onstate("waiting")); }, { signal });
  signal.addEventListener("abort", () => source.close(), { once: true });
}
