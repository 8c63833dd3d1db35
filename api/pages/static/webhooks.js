// Webhooks: who is told what, what did not arrive, and telling again from a position.
import { askFor, whole } from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { ask, get, Intent } from "./http.js";
import { after, badge, broken, busily, copyButton, dialog, empty, field, loading, moreButton, toast } from "./ui.js";
import { ago, causeWords, exact, factWords, number, t, when } from "./words.js";

const PATH = "/v1/webhooks";

/** The list of subscriptions; making one is offered to whom the list is shown. */
export async function webhooks(view, _, signal) {
  const make = h("button", { class: "primary compact", type: "button", hidden: true, onclick: () => create(draw) }, icon("plus"), t("webhook.new"));
  const list = h("div", null, loading(3));
  const draw = async () => {
    try {
      const found = await get(PATH, { signal });
      make.hidden = false;
      fill(list, found.length ? h("ul", { class: "stack" }, found.map(card)) : empty(t("webhook.none"), t("webhook.none_hint")));
    } catch (problem) {
      if (!signal.aborted) fill(list, broken(problem, draw));
    }
  };
  fill(view, h("header", { class: "page-head" }, h("h1", null, t("tab.webhooks")), make), list);
  await draw();
}

function card(one) {
  return h("li", { class: "panel webhook", dataset: { webhook: one.id } },
    h("div", { class: "spread" }, h("h2", null, h("a", { class: "mono", href: `#/webhooks/${one.id}` }, one.url)), badge("webhook", one.state)),
    about(one));
}

function about(one) {
  return h("dl", { class: "about" },
    h("dt", null, t("webhook.facts")), h("dd", { class: "mono" }, one.facts.join(", ")),
    h("dt", null, t("webhook.position")), h("dd", { class: "num" }, number(one.position)),
    h("dt", null, t("webhook.parked")), h("dd", { class: `num${one.parked ? " bad-words" : ""}` }, number(one.parked)),
    one.failed_tries ? [h("dt", null, t("webhook.failed_tries")), h("dd", { class: "warn-words" }, `${number(one.failed_tries)} · ${t("webhook.next", { when: when(one.next_at) })}`)] : null,
    one.cause ? [h("dt", null, t("webhook.cause")), h("dd", null, causeWords(one.cause))] : null);
}

function create(done) {
  askFor({
    title: t("webhook.new"), path: PATH, label: t("webhook.subscribe"),
    done: (made) => { done(); showSecret(made); },
    fields: [field("url", "URL", { type: "url", required: true, maxlength: 2000, inputmode: "url", placeholder: "https:" }),
      field("facts", t("webhook.facts"), { required: true, rows: 3, class: "mono", value: "orders.*" }, { hint: t("webhook.facts_hint") }),
      position(false)],
    read: (form) => ({
      url: form.url.value.trim(), facts: form.facts.value.split(/[\s,,]+/).filter(Boolean),
      ...(form.from_position.value ? { from_position: whole(form.from_position) } : {}),
    }),
  });
}

const position = (required, value) => field("from_position", t("webhook.from"), { type: "number", min: 1, inputmode: "numeric", required, value }, { hint: t(required ? "webhook.replay_hint" : "webhook.from_hint") });

function showSecret(made) {
  const box = dialog(t("webhook.secret"), [
    h("div", { class: "dialog-body" }, h("p", null, t("webhook.secret_how")), h("pre", { tabindex: 0 }, h("code", null, made.secret)), h("div", { class: "row" }, copyButton(made.secret))),
    h("footer", { class: "dialog-foot" }, h("button", { class: "primary", type: "button", onclick: () => box.close() }, t("webhook.secret_kept")))]);
}

/** One subscription: how it is, what was given up, the newest tries. */
export async function webhook(view, [, id], signal) {
  fill(view, loading(3));
  const path = `${PATH}/${encodeURIComponent(id)}`;
  const draw = async () => {
    const [one, tries] = await Promise.all([get(path, { signal }), get(`${path}/deliveries`, { signal })]);
    fill(view, page(one, tries, { path, changed: draw, signal }));
  };
  await draw();
}

function page(one, tries, { path, changed, signal }) {
  const rows = h("tbody", null, tries.deliveries.map(tryRow));
  const ask_ = (cursor) => get(after(`${path}/deliveries`, cursor), { signal });
  return [
    h("a", { class: "back", href: "#/webhooks" }, icon("back"), t("tab.webhooks")),
    h("div", { class: "stack" },
      h("section", { class: "panel webhook" },
        h("div", { class: "spread" }, h("h1", { class: "mono webhook-url" }, one.url), badge("webhook", one.state)),
        about(one), tools(one, path, changed)),
      one.parked_deliveries.length ? h("section", { "aria-labelledby": "parked" }, h("h2", { id: "parked", class: "section-head" }, t("webhook.parked")), h("div", { class: "panel flush" }, h("table", { class: "cards" },
        heads(["audit.position", "webhook.fact", "webhook.cause", "webhook.parked_at", "webhook.again"]),
        h("tbody", null, one.parked_deliveries.map((parked) => h("tr", null,
          h("td", { class: "num" }, number(parked.position)), h("td", null, factWords(parked.fact)), h("td", { class: "full quiet" }, causeWords(parked.cause)), h("td", { class: "quiet num" }, h("time", { datetime: parked.parked_at, title: exact(parked.parked_at) }, ago(parked.parked_at))),
          h("td", { class: "right" }, h("button", { class: "button compact", type: "button", onclick: () => replay(path, parked.position, changed) }, t("webhook.replay_here"))))))))) : null,
      h("section", { "aria-labelledby": "tries" }, h("h2", { id: "tries", class: "section-head" }, t("webhook.tries")),
        tries.deliveries.length ? h("div", { class: "panel flush" }, h("table", { class: "cards" }, heads(["audit.position", "webhook.fact", "webhook.outcome", "webhook.cause", "webhook.at"]), rows)) : empty(t("webhook.no_tries"), ""),
        moreButton(rows, tries.next, ask_, (more) => rows.append(...more.deliveries.map(tryRow))))),
  ];
}

const heads = (keys) => h("thead", null, h("tr", null, keys.map((key) => h("th", { scope: "col" }, t(key)))));

function tryRow(one) {
  return h("tr", null,
    h("td", { class: "num" }, number(one.position)), h("td", null, factWords(one.fact)),
    h("td", null, badge("delivery", one.outcome)),
    h("td", { class: "full quiet" }, [one.status, causeWords(one.cause), t("webhook.attempt", { n: one.attempt }), `${number(one.took_ms)} ms`].filter(Boolean).join(" · ")),
    h("td", { class: "quiet num" }, h("time", { datetime: one.at, title: exact(one.at) }, when(one.at))));
}

function tools(one, path, changed) {
  const change = (name) => {
    const intent = new Intent(`${path}/${name}`);
    const button = h("button", { class: "button compact", type: "button", onclick: () => busily(button, () => told(async () => { await intent.send({}); await changed(); })) }, t(`webhook.${name}`));
    return button;
  };
  const ping = h("button", { class: "button compact", type: "button", onclick: () => busily(ping, () => told(async () => {
    const said = await ask(`${path}/ping`, {});
    toast(t(said.delivered ? "webhook.pinged" : "webhook.not_pinged", { status: said.status ?? causeWords(said.cause), n: said.took_ms }), said.delivered ? "good" : "bad");
  })) }, t("webhook.ping"));
  return h("div", { class: "row" },
    change(one.state === "active" ? "pause" : "resume"), ping,
    h("button", { class: "button compact", type: "button", onclick: () => replay(path, null, changed) }, t("webhook.replay")),
    h("button", { class: "danger compact", type: "button", onclick: () => end(one, path) }, t("webhook.end")));
}

async function told(work) {
  try { await work(); } catch (problem) { toast(problem.words ?? t("problem.error"), "bad"); }
}

function replay(path, from, changed) {
  askFor({
    title: t("webhook.replay"), path: `${path}/replay`, label: t("webhook.replay_confirm"), said: () => t("webhook.replayed"), done: changed,
    fields: [position(true, from)], read: (form) => ({ from_position: whole(form.from_position) }),
  });
}

function end(one, path) {
  askFor({
    title: t("webhook.end_title"), path, method: "DELETE", label: t("webhook.end_confirm"), danger: true, said: () => t("webhook.ended"),
    done: () => { location.hash = "#/webhooks"; },
    fields: [h("p", { class: "mono" }, one.url), h("p", null, t("webhook.end_how"))], read: () => ({}),
  });
}
