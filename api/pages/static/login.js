// A link /login#token=… logs in by itself; the fragment never reaches a server or a log.
import "./ui.js";
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  const form = document.querySelector("#login");
  form.elements.token.value = token;
  form.requestSubmit();
}
