// Shows /openapi.json: what there is to call, what it takes, what it answers, with the example of each.
// Nothing is ever taken for HTML: every word of the description becomes a text node.

const METHODS = ["get", "post", "put", "patch", "delete"];

function made(name, more = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(more)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

function resolved(api, schema, seen = []) {
  const name = schema?.$ref?.split("/").pop();
  if (!name || seen.includes(name)) return schema ?? {};
  return resolved(api, api.components.schemas[name], [...seen, name]);
}

function typeOf(api, schema, deep = 0) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map((one) => typeOf(api, one, deep + 1)).join(" | ");
  if (schema.type === "array") return `list of ${typeOf(api, schema.items, deep + 1) || "anything"}`;
  return schema.type ?? "anything";
}

function bounds(schema) {
  const words = { minimum: "from", maximum: "to", minLength: "at least", maxLength: "at most", maxItems: "at most" };
  const found = Object.entries(words).filter(([key]) => key in (schema ?? {}) && schema[key] !== 1).map(([key, word]) =>
    `${word} ${schema[key]}${key.endsWith("Length") ? " characters" : key.endsWith("Items") ? " items" : ""}`);
  if (schema && "default" in schema && schema.default !== null && schema.default !== "")
    found.push(`otherwise ${JSON.stringify(schema.default)}`);
  return found.join(", ");
}

function table(caption, head, rows) {
  return made("table", {},
    made("caption", { class: "dim" }, caption),
    made("thead", {}, made("tr", {}, ...head.map((one) => made("th", { scope: "col" }, one)))),
    made("tbody", {}, ...rows.map((row) => made("tr", {}, ...row.map((one, n) =>
      n ? made("td", {}, one) : made("th", { scope: "row" }, made("code", {}, one)))))));
}

function fields(api, schema) {
  const whole = resolved(api, schema);
  const needed = whole.required ?? [];
  return Object.entries(whole.properties ?? {}).map(([name, one]) => [
    name, typeOf(api, one) + (needed.includes(name) ? "" : ", may be left out"),
    [one.description ?? resolved(api, one).description ?? "", bounds(one)].filter(Boolean).join("; ")]);
}

function example(title, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return [made("h3", {}, title), made("pre", { tabindex: "0", "aria-label": title }, text)];
}

function body(api, title, content) {
  return Object.entries(content ?? {}).flatMap(([media, given]) => {
    const rows = fields(api, given.schema);
    const shown = given.example ?? resolved(api, given.schema).examples?.[0];
    return [
      ...(rows.length ? [table(`${title}: ${media}`, ["Field", "Type", "What it is"], rows)] : []),
      ...(shown === undefined ? [] : example(`${title}, for example`, shown)),
    ];
  });
}

function curl(method, path, operation) {
  const form = operation.requestBody?.content?.["multipart/form-data"];
  const json = operation.requestBody?.content?.["application/json"];
  const lines = [`curl -X ${method.toUpperCase()} "$URL${path}"`, `  -H "Authorization: Bearer $KEY"`];
  if (form) lines.push(...Object.entries(form.example ?? {}).map(([k, v]) => `  -F ${k === "file" ? "file=@report.md" : `${k}=${v}`}`));
  if (json) lines.push(`  -H "Content-Type: application/json"`, `  -d '${JSON.stringify(json.shown ?? {})}'`);
  return lines.join(" \\\n");
}

function operation(api, path, method, one) {
  const json = one.requestBody?.content?.["application/json"];
  if (json) json.shown = json.example ?? resolved(api, json.schema).examples?.[0];
  const takes = (one.parameters ?? []).map((p) => [
    p.name, `${typeOf(api, p.schema)}, in the ${p.in}${p.required ? "" : ", may be left out"}`,
    [p.description ?? p.schema?.description ?? "", bounds(p.schema)].filter(Boolean).join("; ")]);
  const answers = Object.entries(one.responses);
  const said = one.description ?? one.summary ?? "";
  const [first] = said.split(/(?<=[.:])\s/);
  const rest = said.slice(first.length).trim();
  const inside = made("div", { class: "inside" },
    made("p", {}, rest),
    ...(takes.length ? [table("It takes", ["Name", "Type", "What it is"], takes)] : []),
    ...body(api, "The body", one.requestBody?.content),
    ...answers.filter(([code]) => code.startsWith("2")).flatMap(([code, answer]) =>
      [made("h3", {}, `It answers ${code}`), ...body(api, `The answer ${code}`, answer.content)]),
    table("Otherwise", ["Status", "When"], answers.filter(([code]) => !code.startsWith("2"))
      .map(([code, answer]) => [code, answer.description])),
    ...example("With curl", curl(method, path, one)));
  const id = one.operationId ?? `${method}-${path}`;
  return made("details", { id, "data-words": `${method} ${path} ${id} ${one.description ?? ""}`.toLowerCase() },
    made("summary", {}, made("span", { class: "method" }, method.toUpperCase()), made("code", {}, path),
      made("span", { class: "dim" }, first)), inside);
}

function show(api) {
  document.getElementById("about").textContent = api.info.description ?? "";
  const groups = new Map((api.tags ?? []).map((tag) => [tag.name, { about: tag.description, found: [] }]));
  for (const [path, methods] of Object.entries(api.paths))
    for (const method of METHODS.filter((one) => one in methods)) {
      const name = methods[method].tags?.[0] ?? "other";
      if (!groups.has(name)) groups.set(name, { about: "", found: [] });
      groups.get(name).found.push(operation(api, path, method, methods[method]));
    }
  const full = [...groups].filter(([, group]) => group.found.length);
  document.getElementById("groups").replaceChildren(made("ul", {}, ...full.map(([name]) =>
    made("li", {}, made("a", { href: `#group-${name}` }, name)))));
  document.getElementById("operations").replaceChildren(...full.map(([name, group]) =>
    made("section", { "aria-labelledby": `group-${name}` }, made("h2", { id: `group-${name}` }, name),
      made("p", { class: "dim" }, group.about ?? ""), ...group.found)));
  const all = [...document.querySelectorAll("details")];
  const find = document.getElementById("find");
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const one of all) one.hidden = !words.every((word) => one.dataset.words.includes(word));
    for (const section of document.querySelectorAll("section"))
      section.hidden = [...section.querySelectorAll("details")].every((one) => one.hidden);
    document.getElementById("count").textContent = `${all.filter((one) => !one.hidden).length} operations`;
  };
  find.addEventListener("input", filter);
  filter();
  const open = () => {
    const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (wanted?.tagName === "DETAILS") wanted.open = true;
    wanted?.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
}

try {
  const answer = await fetch("/openapi.json", { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  document.getElementById("state").textContent = `The description could not be loaded: ${error.message}. Try again.`;
}
