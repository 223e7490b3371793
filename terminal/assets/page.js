// The page follows the desk. Nothing of a session stays on the screen once it has ended, and nothing is
// stored: no storage, no worker, no request to anywhere but the page's own address.
"use strict";

const body = document.body;
const token = body.dataset.token;
const silence = 6000; // ms without a word after which the desk counts as gone

function wipe() {
  body.replaceChildren();
}

function beginning() {
  wipe();
  location.replace("/");
}

// What has landed is shown without losing place: the main part is exchanged, the rest stays.
let refreshing = false;
let again = false;
async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  try {
    const response = await fetch(location.pathname, { cache: "no-store" });
    if (!response.ok || new URL(response.url).pathname !== location.pathname) return beginning();
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (fresh.body.dataset.scene !== body.dataset.scene) return beginning();
    exchange(fresh.getElementById("main"));
    body.dataset.change = fresh.body.dataset.change;
  } catch {
    // The stream of events says whether the desk is gone.
  } finally {
    refreshing = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

function exchange(fresh) {
  const old = document.getElementById("main");
  const open = [...old.querySelectorAll("details[open][id]")].map((element) => element.id);
  const focus = old.contains(document.activeElement) ? placeOf(document.activeElement, old) : undefined;
  const typed = typedIn(old);
  old.replaceChildren(...fresh.childNodes);
  typeAgain(typed, old);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focus) at(focus, old)?.focus({ preventScroll: true });
}

// What somebody has typed and not sent yet, in forms that ask for it to be kept.
function typedIn(main) {
  const fields = [...main.querySelectorAll("form.keep input:not([type=hidden])")];
  const changed = (it) => (it.type === "checkbox" ? it.checked !== it.defaultChecked : it.value !== it.defaultValue);
  return fields.filter(changed).map((it) => ({ form: formOf(it), name: it.name, value: it.value, checked: it.checked }));
}

function typeAgain(typed, main) {
  const fields = [...main.querySelectorAll("form.keep input:not([type=hidden])")];
  for (const { form, name, value, checked } of typed) {
    const field = fields.find((it) => it.name === name && formOf(it) === form);
    if (!field) continue;
    if (field.type === "checkbox") field.checked = checked;
    else field.value = value;
  }
}

function formOf(field) {
  const { institution, what } = field.form.elements;
  return [institution?.value, what?.value].join("\n");
}

// Where the focus was: by id, or by what it does and how many of the kind stand before it.
function placeOf(element, main) {
  const kind = kindOf(element);
  const alike = [...main.querySelectorAll(element.localName)].filter((other) => kindOf(other) === kind);
  return { id: element.id, name: element.localName, kind, number: alike.indexOf(element) };
}

function at(place, main) {
  if (place.id) return document.getElementById(place.id);
  return [...main.querySelectorAll(place.name)].filter((other) => kindOf(other) === place.kind)[place.number];
}

function kindOf(element) {
  return [element.getAttribute("href"), element.getAttribute("aria-label"), element.textContent].join("\n");
}

// Parts that land together are shown together.
let soon;
function landed() {
  clearTimeout(soon);
  soon = setTimeout(refresh, 120);
}

let last = Date.now();
function heard() {
  last = Date.now();
}

const events = new EventSource("/events");
events.addEventListener("scene", (event) => {
  heard();
  const [scene, change] = event.data.split(" ");
  if (scene !== body.dataset.scene) beginning();
  // It landed after this page was made and before anybody listened.
  else if (change !== body.dataset.change) landed();
});
events.addEventListener("part", () => {
  heard();
  landed();
});
events.addEventListener("alive", heard);
let looked = Date.now();
setInterval(() => {
  const now = Date.now();
  // Whoever was busy or asleep has not listened: a moment to hear what came meanwhile.
  if (now - looked > 3000) last = Math.max(last, now - silence + 2000);
  looked = now;
  if (now - last > silence) {
    events.close();
    wipe();
  }
}, 1000);

// A browser may keep a page that was left, its stream open with it: six of them, and no request would get through.
addEventListener("pagehide", () => {
  events.close();
  wipe();
});

// A page out of the browser's memory is never shown again.
addEventListener("pageshow", (event) => {
  if (event.persisted) beginning();
});

// Somebody is there.
let told = 0;
function stirred() {
  if (!body.dataset.notAfter || Date.now() - told < 15000) return;
  told = Date.now();
  fetch("/stirred", {
    method: "POST",
    headers: { "x-hibiki-token": token, "content-type": "application/x-www-form-urlencoded" },
    body: "",
  }).catch(() => {});
}
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"]) {
  addEventListener(kind, stirred, { passive: true });
}

// The last minute is announced.
const closing = document.getElementById("closing");
if (closing && body.dataset.notAfter) {
  setInterval(() => {
    const left = Math.ceil((Number(body.dataset.notAfter) - Date.now()) / 1000);
    closing.hidden = left > 60 || left < 0;
    const shown = left > 10 ? Math.ceil(left / 10) * 10 : left;
    const text = closing.dataset.text + shown + closing.dataset.unit;
    if (!closing.hidden && closing.textContent !== text) closing.textContent = text;
  }, 1000);
}

// The pad types into the field; keys do so by themselves.
const pin = document.getElementById("pin");
const form = document.getElementById("pin-form");
if (pin && form) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[type=button]");
    if (!button) return;
    if ("clear" in button.dataset) pin.value = "";
    else if (pin.value.length < 4) pin.value += button.dataset.digit;
  });
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});
