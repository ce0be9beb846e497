// The page: what is typed goes to the server, what comes back is shown. The state is in the address behind #.
"use strict";

const find = (id) => document.getElementById(id);
const main = document.querySelector("main");
const program = find("program"), frame = find("explanation"), figure = find("plot");
let values = new Map(); // of the inputs, as text
let steps = [], step = -1; // rows of the backward pass, and the one that is lit
let latest = 0, waiting = 0; // number of the last request, and the timer of the next

const at = () => [...values].map(([name, value]) => `${name}=${value}`).join(",");

async function ask(what, more = {}) {
  const query = new URLSearchParams({ what, program: program.value, at: at(), ...more });
  const response = await fetch(`answer?${query}`);
  return response.json();
}

// --- the state in the address ---------------------------------------------------------------------------------------

function load() {
  const state = new URLSearchParams(location.hash.slice(1));
  program.value = state.get("program") ?? "y = x^2; z = sin(y); u = e^z";
  values = new Map(apart(state.get("at") ?? "x=4").filter((part) => part.includes("=")).map((part) => {
    const place = part.indexOf("=");
    return [part.slice(0, place).normalize("NFKC").trim(), part.slice(place + 1).trim()]; // names as the server spells them
  }));
}

function apart(text) { // at the commas that are in no bracket
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    depth += "([".includes(letter) - ")]".includes(letter);
    if (letter === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

function keep() {
  history.replaceState(null, "", `#${new URLSearchParams({ program: program.value, at: at() })}`);
}

// --- asking and showing ---------------------------------------------------------------------------------------------

function soon(delay = 150) {
  clearTimeout(waiting);
  waiting = setTimeout(update, delay);
}

async function update() {
  const number = ++latest;
  keep();
  main.classList.add("busy", "computing");
  let found;
  try {
    found = await ask("explain");
    const known = [...values].filter(([name]) => !(found.unknown ?? []).includes(name)); // those that the formula has
    if (known.length < values.size) {
      values = new Map(known);
      if (number === latest) soon(0);
      return;
    }
  } catch {
    found = { error: "the server does not answer: is autodiff serve still running?" };
  }
  if (number !== latest) return;
  main.classList.remove("busy");
  show(found);
  if (found.page) await draw(number);
  if (number === latest) main.classList.remove("computing");
}

function show(found) {
  find("error").textContent = found.error ?? "";
  find("notices").replaceChildren(...(found.notices ?? []).map((words) => {
    const item = document.createElement("li");
    item.textContent = words;
    return item;
  }));
  find("tools").hidden = !found.page;
  frame.hidden = !found.page;
  if (!found.page) {
    figure.hidden = true;
    find("brief").textContent = "";
    return;
  }
  const slopes = Object.entries(found.slopes).map(([name, slope]) => `slope in ${name}: ${slope ?? "none"}`);
  find("brief").textContent = [`value: ${found.value ?? "none"}`, ...slopes, found.why].filter(Boolean).join(" · ");
  sliders(found.inputs);
  frame.srcdoc = found.page;
}

frame.addEventListener("load", () => {
  const inside = frame.contentDocument;
  if (!inside?.body) return;
  const fit = () => { frame.style.height = `${inside.documentElement.scrollHeight + 4}px`; };
  fit();
  new ResizeObserver(fit).observe(inside.body);
  steps = [...inside.querySelectorAll("tr[data-arrow]")];
  light(-1);
});

async function draw(number) {
  const found = await ask("plot", innerWidth < 600 ? { narrow: "yes" } : {}).catch(() => ({}));
  if (number !== latest) return;
  figure.hidden = !found.plot;
  if (!found.plot) return;
  const picture = figure.querySelector("img");
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(found.plot)}`;
  picture.alt = `The curve over ${found.over}, its slope below it${found.tangent ? ", and the tangent at the point" : ""}`;
  figure.querySelector("figcaption").textContent = `over ${found.over}${found.tangent ? ", with the tangent at the point" : ""}`;
}

// --- sliders --------------------------------------------------------------------------------------------------------

function sliders(inputs) {
  const names = inputs.map((input) => input.name);
  const group = find("inputs");
  if (names.join() !== [...group.children].map((row) => row.dataset.name).join()) {
    group.replaceChildren(...inputs.map(row));
  }
  for (const [place, { name, value }] of inputs.entries()) {
    if (!values.has(name)) values.set(name, String(value));
    const [slider, number] = group.children[place].querySelectorAll("input");
    if (Number(number.value) !== value && document.activeElement !== number) number.value = value;
    if (document.activeElement !== slider) reaching(slider, value);
  }
}

function row({ name, value }) {
  const line = document.createElement("div");
  line.className = "input";
  line.dataset.name = name;
  const label = document.createElement("label");
  label.textContent = name;
  label.htmlFor = `number-${name}`;
  const slider = document.createElement("input");
  slider.type = "range";
  reaching(slider, value);
  slider.setAttribute("aria-label", `slider of ${name}`);
  const number = document.createElement("input");
  Object.assign(number, { type: "number", step: "any", id: `number-${name}`, value });
  slider.addEventListener("input", () => { number.value = slider.value; changed(name, slider.value, 60); });
  number.addEventListener("input", () => {
    if (number.value === "") return;
    slider.value = number.value;
    changed(name, number.value, 150);
  });
  line.append(label, slider, number);
  return line;
}

function reaching(slider, value) { // give the slider a value, and bounds that hold it
  if (!(Math.abs(value) <= Number(slider.max)) || slider.max === "") {
    const reach = Math.max(5, 2 * Math.abs(value));
    Object.assign(slider, { min: -reach, max: reach, step: reach / 200 });
  }
  slider.value = value;
}

function changed(name, value, delay) {
  values.set(name, value);
  soon(delay);
}

// --- steps of the backward pass -------------------------------------------------------------------------------------

function light(place) {
  step = Math.max(-1, Math.min(place, steps.length - 1));
  find("place").textContent = step < 0 ? "" : `step ${step + 1} of ${steps.length}`;
  find("back").disabled = step < 0;
  find("next").disabled = step >= steps.length - 1;
  if (step >= 0) {
    steps[step].focus({ preventScroll: true });
    steps[step].scrollIntoView({ block: "center" });
  }
}

find("back").addEventListener("click", () => light(step - 1));
find("next").addEventListener("click", () => light(step + 1));

// --- links and files ------------------------------------------------------------------------------------------------

find("share").addEventListener("click", async () => {
  keep();
  const button = find("share");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The link is in the address bar";
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 2000);
});

find("save").addEventListener("click", async () => {
  const to = find("to").value;
  const found = await ask("export", { to });
  if (found.error) {
    find("error").textContent = found.error;
    return;
  }
  const endings = { markdown: "md", latex: "tex", python: "py", numpy: "py", jax: "py", torch: "py", javascript: "js" };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([found.source], { type: "text/plain" }));
  link.download = `derivative.${endings[to] ?? to}`;
  link.click();
  URL.revokeObjectURL(link.href);
});

program.addEventListener("input", () => soon());
find("question").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => { load(); update(); });
load();
update();
