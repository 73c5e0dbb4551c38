// The page's client of the HTTP interface: what it shows comes from the server, and nothing is kept but
// the key, in this tab.
"use strict";

const at = (id) => document.getElementById(id);

// MARK: Requests

/** The answer; an Error with the server's own words when it isn't 2xx. */
async function send(method, path, body) {
  const headers = {};
  const key = sessionStorage.getItem("encoder-key");
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The server can't be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401) at("key-box").open = true;
  let value = null;
  try { value = await response.json(); } catch { /* said by the status below */ }
  const said = value && (value.error?.message ?? value.error ?? value.message);
  throw new Error(said || `The server answered ${response.status}.`);
}

/** The answer's JSON, or null where there is none. */
async function call(method, path, body) {
  const response = await send(method, path, body);
  try { return await response.json(); } catch { return null; }
}

const part = encodeURIComponent;

/** Runs what a control asks for: one at a time a control, its error is shown and announced. */
async function act(control, waiting, work) {
  at("error").hidden = true;
  at("status").textContent = waiting;
  if (control) control.disabled = true;
  try {
    at("status").textContent = (await work()) ?? "";
  } catch (error) {
    at("status").textContent = "";
    at("error").textContent = error.message;
    at("error").hidden = false;
  } finally {
    if (control) control.disabled = false;
  }
}

// MARK: Pieces of the page

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const figure = (value) => (value == null ? "" : value.toFixed(2));

function signed(value) {
  const sign = value < 0 ? "\u2212" : "+";
  return make("span", { class: value < 0 ? "minus" : "plus" }, sign + Math.abs(value).toFixed(2));
}

/** The words of a text, coloured by what they add; the figures are in the text for those who can't see it. */
function showWords(target, words) {
  const largest = Math.max(...words.map((word) => Math.abs(word.attribution)), 1e-9);
  target.replaceChildren();
  for (const word of words) {
    const tone = word.attribution < 0 ? "--against-paper" : "--for-paper";
    const share = Math.abs(word.attribution) / largest;
    const without = word.effect == null ? "" : `; without it ${(-word.effect).toFixed(2)}`;
    const span = make("span", { title: `${word.attribution.toFixed(3)}${without}` }, word.word);
    // Not as an attribute: a strict content security policy forbids those.
    span.style.backgroundColor = `rgb(var(${tone}) / ${(0.35 * share).toFixed(2)})`;
    target.append(span, " ");
    if (share > 0.2) target.append(make("small", {}, signed(word.attribution)), " ");
  }
}

function reasons(explanation) {
  const box = make("div", { class: "reasons" });
  if (explanation.history.length) {
    box.append(
      make("h4", {}, "Because of"),
      make("ul", {}, ...explanation.history.map((reason) =>
        make("li", {},
          `${reason.text || reason.item_id}: `,
          `${Math.round(100 * reason.share)}% of the text score`,
          reason.effect == null ? null : make("span", {}, "; without it ", signed(-reason.effect))))));
  }
  if (explanation.words.length) {
    const words = make("p", { class: "words" });
    showWords(words, explanation.words);
    box.append(make("h4", {}, "Words"), words);
  }
  box.append(
    make("h4", {}, "Parts of the score"),
    make("ul", {}, ...explanation.parts.map((one) =>
      make("li", {}, `${one.name.replaceAll("_", " ")}: `, signed(one.contribution)))));
  return box;
}

// MARK: A new item

function showAudience(answer) {
  at("near").replaceChildren(...answer.similar.map((item) =>
    make("li", {}, make("div", { class: "line" },
      make("span", { class: "text" }, item.text || item.item_id),
      make("span", { class: "id" }, item.item_id),
      make("span", { class: "figure" }, figure(item.similarity))))));
  at("audience").replaceChildren(...answer.users.map((member) =>
    make("li", {}, make("div", { class: "line" },
      make("button", {
        type: "button",
        onclick: () => showPerson(member.user_id, at("user")),
      }, member.user_id),
      make("span", { class: "figure" }, figure(member.score)),
      member.explanation
        ? make("button", {
          type: "button", "aria-label": `Words for user ${member.user_id}`,
          onclick: () => showMemberWords(member),
        }, "Words")
        : null))));
  const first = answer.users.find((member) => member.explanation);
  at("words-box").hidden = !first;
  if (first) showMemberWords(first);
  at("landing").hidden = false;
}

function showMemberWords(member) {
  at("words-help").textContent =
    `What each word adds to the text score of user ${member.user_id}, by integrated gradients.`;
  showWords(at("words"), member.explanation.words);
}

at("item-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("description").value.trim();
  act(event.submitter, "Looking\u2026", async () => {
    const answer = await call("POST", "/audience", { text, k: 10, explain: true });
    showAudience(answer);
    return `${answer.similar.length} neighbours, ${answer.users.length} users.`;
  });
});

at("add-item").addEventListener("click", (event) => {
  const text = at("description").value.trim();
  if (!text) { at("description").focus(); at("description").reportValidity(); return; }
  const id = at("item-id").value.trim() || `new-${Date.now().toString(36)}`;
  act(event.currentTarget, "Adding\u2026", async () => {
    await call("PUT", `/items/${part(id)}`, { text });
    at("item-id").value = id;
    if (shownUser !== null) await refresh();
    return `Item ${id} is in the catalogue.`;
  });
});

// MARK: A user

let shownUser = null;
let ranks = new Map();

async function refresh() {
  const user = shownUser;
  const query = new URLSearchParams({
    k: "10", explain: "true", diversity: at("diversity").value,
    candidates: at("candidates").value,
  });
  const [person, list] = await Promise.all([
    call("GET", `/users/${part(user)}`),
    call("GET", `/users/${part(user)}/recommendations?${query}`),
  ]);
  if (user !== shownUser) return;
  showHistory(person.history);
  showList(list.items);
}

function showHistory(history) {
  at("history-count").textContent =
    `${history.length} ${history.length === 1 ? "item" : "items"}`;
  const newest = history.slice().reverse();
  newest.sort((a, b) => (a.source === "events" ? 0 : 1) - (b.source === "events" ? 0 : 1));
  at("history").replaceChildren(...newest.map((item) =>
    make("li", {}, make("div", { class: "line" },
      make("span", { class: "text" }, item.text || item.item_id),
      make("span", { class: "id" }, item.item_id),
      item.source === "events" ? make("span", { class: "tag" }, "just now") : null))));
}

function showList(items) {
  const before = ranks;
  ranks = new Map(items.map((item) => [item.item_id, item.rank]));
  at("list").replaceChildren(...items.map((item) => {
    const old = before.get(item.item_id);
    const moved = before.size > 0 && old !== item.rank;
    const change = !moved ? null : old === undefined ? "came in" : `was ${old}`;
    const why = make("details", {}, make("summary", {}, "Why"));
    if (item.explanation) why.append(reasons(item.explanation));
    return make("li", { "data-item": item.item_id },
      make("div", { class: moved ? "line moved" : "line" },
        make("span", { class: "figure" }, `${item.rank}.`),
        make("span", { class: "text" }, item.text || item.item_id),
        item.new ? make("span", { class: "tag" }, "new") : null,
        change ? make("span", { class: "tag" }, change) : null,
        make("button", {
          type: "button", "aria-label": `Click on ${item.text || item.item_id}`,
          onclick: (event) => click(event.currentTarget, item),
        }, "Click it")),
      item.explanation ? why : null);
  }));
  at("list-note").textContent =
    items.length ? "A click is a behaviour: the list follows at once." : "Nothing to recommend.";
}

function click(control, item) {
  act(control, "Sending\u2026", async () => {
    await call("POST", "/events", { user_id: shownUser, item_id: item.item_id });
    await refresh();
    at("list-heading").scrollIntoView({ block: "nearest" });
    return `${shownUser} clicked ${item.text || item.item_id}.`;
  });
}

function showPerson(user, control) {
  at("user").value = user;
  return act(null, "Ranking\u2026", async () => {
    if (user !== shownUser) ranks = new Map();
    shownUser = user;
    at("person").hidden = true;
    await refresh();
    at("person").hidden = false;
    if (control) at("user-heading").scrollIntoView();
    return `User ${user}.`;
  });
}

at("user-form").addEventListener("submit", (event) => {
  event.preventDefault();
  showPerson(at("user").value.trim());
});
at("diversity").addEventListener("input", () => {
  at("diversity-value").textContent = at("diversity").value;
});
for (const id of ["diversity", "candidates"]) {
  at(id).addEventListener("change", () => {
    if (shownUser !== null) act(null, "Ranking\u2026", refresh);
  });
}

let suggestion = 0;
at("user").addEventListener("input", () => {
  const mine = ++suggestion;
  setTimeout(async () => {
    if (mine !== suggestion) return;
    try { await suggestUsers(at("user").value.trim()); } catch { /* suggestions may be missing */ }
  }, 150);
});

async function suggestUsers(prefix) {
  const answer = await call("GET", `/users?limit=20&prefix=${part(prefix)}`);
  at("users").replaceChildren(...answer.users.map((user) => make("option", { value: user })));
  return answer.users;
}

// MARK: Documents

/** Opens what a link names in a tab of its own: followed as it stands, the link would carry no key. */
function openDocument(event) {
  event.preventDefault();
  const path = event.currentTarget.getAttribute("href");
  // Before the answer is there: browsers open a tab for a click, not for what comes later.
  const tab = window.open("", "_blank");
  act(null, "Opening\u2026", async () => {
    try {
      const url = URL.createObjectURL(await (await send("GET", path)).blob());
      (tab ?? window).location.assign(url);
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      tab?.close();
      throw error;
    }
  });
}

for (const link of document.querySelectorAll("a[data-needs-key]")) {
  link.addEventListener("click", openDocument);
}

// MARK: Beginning

at("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("encoder-key", at("key").value);
  at("key").value = "";
  begin();
});

function begin() {
  act(null, "", async () => {
    const model = await call("GET", "/model");
    at("report-link").hidden = !model.report;
    at("model-line").textContent = model.recommender
      ? `${model.name}, version ${model.version}: ${model.items} items, `
        + `${model.users_of_training} users; held-out NDCG@20 `
        + `${model.quality.cold_ndcg_20.toFixed(3)} on new items, `
        + `${model.quality.warm_ndcg_20.toFixed(3)} on known ones`
      : `${model.name}: an encoder without users; fine-tune it to see recommendations here.`;
    if (!model.recommender) return "";
    const users = await suggestUsers("");
    if (users.length && !at("user").value) at("user").value = users[0];
  });
}

begin();
