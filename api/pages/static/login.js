// A link /login#token=… logs in by itself; the fragment never reaches a server or a log.
import "./ui.js";
// Whose session ended goes on at the view where it did: a fragment outlives the way back to its page.
if (location.hash.startsWith("#/")) document.querySelector("#login").action += location.hash;
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  const form = document.querySelector("#login");
  form.elements.token.value = token;
  form.requestSubmit();
}
