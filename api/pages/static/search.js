// Finding orders. What is known of a person goes into a body: addresses are in the logs of every
// proxy on the way.

import { ask, fresh } from "./http.js";

/** Orders by whatever a caller may know of one, newest first. */
export const search = (text, { signal } = {}) => ask(fresh("/v1/search"), { q: text }, { signal });
