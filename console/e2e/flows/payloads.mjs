// What people write is shown as text, wherever it is shown: every payload of the list in every field that keeps or
// repeats text. No page asks another origin for anything, opens a dialog, offends its policy, or makes an element or an
// attribute of what was written.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, dialog, noDialog, press } from "../hands.mjs";
import { LEAST, PAYLOADS, SPARSE, begin, mail, payloads, pieces } from "../payloads.mjs";
import { SCOPE, signIn } from "../platform.mjs";

// Tokens of a list that is whole in the page, and sessions the profile shows at once.
const LISTED = 50;
const SESSIONS = 40;
// Of the name a browser gives itself that is shown when it is none the page knows.
const AGENT_SHOWN = 40;

payloads("names, descriptions and developer addresses of tokens", async (own) => {
  const accounts = await Promise.all(pieces(PAYLOADS, LISTED).map(() => own.account()));
  const halves = pieces(PAYLOADS, LISTED);
  for (const [index, brand] of accounts.entries()) {
    const person = await brand.member();
    const tokens = [];
    for (const [row, payload] of halves[index].entries()) {
      const developer_emails = row % SPARSE ? [] : halves[index].slice(row, row + SPARSE).map(mail);
      tokens.push({ ...(await person.token(brand, payload, { description: PAYLOADS.at(-row - 1), developer_emails })), developer_emails, description: PAYLOADS.at(-row - 1) });
    }
    const page = await own.page(person);
    await page.goto(brand.tokens);
    await page.getByRole("article").first().waitFor();
    await own.shows(page, tokens.flatMap((token) => [token.name, token.description]), "the list");
    await own.walks(page, tokens.map((token) => [`${brand.tokens}/${token.id}`, [token.name, token.description, token.sid]]), "a token's page");
    for (const token of tokens.filter((_, row) => row % SPARSE === 0)) {
      await page.turn(`${brand.tokens}/${token.id}?tab=credentials`);
      await own.shows(page, [token.name, ...token.developer_emails], "a token's developers");
      await page.turn(`${brand.tokens}/${token.id}?tab=activity`);
      await page.locator("ol.trail button").first().click();
      await own.shows(page, [token.name], "a token's activity");
      for (const name of ["Delete", "Disable"]) {
        await press(page, name);
        await own.shows(page, [`“${token.name}”`], name);
        await page.keyboard.press("Escape");
        await noDialog(page);
      }
    }
    // The audit trail names every token, and holds what it was made of.
    await page.turn(`${brand.path}/activity`);
    await page.locator("ol.trail > li").first().waitFor();
    while (await page.getByRole("button", { name: "Show more" }).count()) {
      const before = await page.locator("ol.trail > li").count();
      await page.getByRole("button", { name: "Show more" }).click();
      await page.waitForFunction((count) => document.querySelectorAll("ol.trail > li").length > count, before);
    }
    await page.evaluate(() => document.querySelectorAll("ol.trail button").forEach((one) => one.click()));
    await own.shows(page, tokens.map((token) => token.name), "the activity");
  }
}, { long: 6 });

payloads("names of people and their invitations", async (own) => {
  const brand = await own.account();
  const people = [];
  for (let count = 0; count < 24; count += 1) people.push(await brand.member());
  const [first] = people;
  for (const [index, person] of people.entries()) await first.token(brand, `Token ${index}`, { primary_contact: person.id });
  const page = await own.page(first);
  const operators = await own.page(own.operator);
  for (const names of pieces(PAYLOADS, people.length)) {
    for (const [index, name] of names.entries()) await people[index].asks("PATCH", "/profile", { name });
    await page.goto(`${brand.path}/members`);
    await own.shows(page, names, "members");
    assert.equal(await button(page, `Remove: ${names[0]}`).count(), 1);
    await button(page, `Change role: ${names.at(-1)}`).click();
    await own.shows(page, [`Role of ${names.at(-1)}`], "a member's role");
    await page.keyboard.press("Escape");
    await noDialog(page);
    await page.getByRole("button", { name: /^User menu/ }).click();
    await own.shows(page, [names[0]], "the user menu");
    await page.keyboard.press("Escape");
    await page.turn(brand.tokens);
    await own.shows(page, names, "contacts of the cards");
    await page.turn("/profile");
    await own.shows(page, [names[0]], "the profile");
    await operators.goto("/operator/people");
    await own.shows(operators, names, "people");
  }
  for (const emails of pieces(PAYLOADS.map(mail), 70)) {
    const other = await own.account();
    const administrator = await other.member();
    for (const email of emails) await administrator.asks("POST", `${other.path}/invitations`, { email, role: "analyst" });
    const members = await own.page(administrator);
    await members.goto(`${other.path}/members`);
    await own.shows(members, emails, "invitations");
    await members.context().close();
  }
}, { long: 5 });

payloads("names of accounts, and the ids their operator gives them", async (own, note) => {
  const made = [];
  let refused = 0;
  for (const [index, name] of PAYLOADS.entries()) {
    const ask = (external_id) => own.operator.call("POST", "/accounts", { name, external_id, kind: ["brand", "agency", "partner"][index % 3], api_access: true });
    let answer = await ask(name);
    let external_id = name;
    if (answer.status >= 400) {
      assert.equal(answer.status, 422, JSON.stringify(answer.body));
      refused += 1;
      external_id = `payload-${index}`;
      answer = await ask(external_id);
    }
    made.push({ name, external_id, id: answer.body.account.id });
  }
  note(`${refused} external ids were refused`);
  const page = await own.page(own.operator);
  await page.goto("/operator/accounts");
  await page.locator("ul.rows > li").first().waitFor();
  while (await button(page, "Show more").count()) {
    const before = await page.locator("ul.rows > li").count();
    await press(page, "Show more");
    await page.waitForFunction((count) => document.querySelectorAll("ul.rows > li").length > count, before);
  }
  await own.shows(page, made.flatMap((row) => [row.name, row.external_id]), "accounts");
  await own.walks(page, made.map((row) => [`/accounts/${row.id}/tokens`, [`You act with operator rights in ${row.name}.`]]), "an account");
  for (const row of made.filter((_, index) => index % SPARSE === 0)) {
    await page.turn(`/operator/accounts?q=${encodeURIComponent(row.name)}`);
    await button(page, `Edit: ${row.name}`).click();
    await own.shows(page, [`Edit: ${row.name}`], "editing an account");
    await page.keyboard.press("Escape");
    await noDialog(page);
  }
}, { long: 5 });

payloads("labels of a catalog, in both languages, and what its check says", async (own, note) => {
  const { source } = await own.operator.asks("GET", "/catalog/source");
  const quoted = (text) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  let next = 0;
  const take = () => PAYLOADS[next++ % PAYLOADS.length];
  const labels = { en: [], zh_cn: [] };
  const written = source.replace(/\b(en|zh_cn) = "[^"]*"/g, (_, language) => {
    const payload = take();
    labels[language].push(payload);
    return `${language} = ${quoted(payload)}`;
  });
  assert.ok(labels.en.length >= LEAST, `${labels.en.length} labels`);
  note(`${next} labels`);
  const loaded = await own.operator.call("PUT", "/catalog", { source: written });
  assert.equal(loaded.status, 200, JSON.stringify(loaded.body).slice(0, 600));
  const { kinds } = await own.operator.asks("GET", "/catalog");
  for (const [language, key] of [["en-US", "en"], ["zh-CN", "zh-CN"]]) {
    for (const kind of kinds) {
      const account = await own.account(kind.id);
      const person = await account.member();
      const token = await person.token(account, "Labelled");
      assert.ok(SCOPE[kind.id]);
      const page = await own.page(person, { language });
      const all = kind.categories.flatMap((row) => [row.label, ...row.scopes.map((scope) => scope.label)]).map((label) => label[key]);
      await page.goto(account.tokens);
      await own.shows(page, [kind.page_label[key], kind.label[key], ...kind.menu_path.slice(1).map((label) => label[key])], "the place of the page");
      await page.turn(`${account.tokens}/${token.id}?tab=scopes`);
      await page.locator(".cat").first().waitFor();
      await page.evaluate(() => document.querySelectorAll(".cat header input").forEach((one) => !one.checked && one.click()));
      await own.shows(page, [...all, ...kind.presets.map((row) => row.label[key])], "scopes");
      await page.goto(`${account.path}/members`);
      await own.shows(page, kind.roles.map((row) => row.label[key]), "roles");
      await page.context().close();
    }
  }
  const page = await own.page(own.operator);
  await page.goto("/operator/catalog");
  await own.shows(page, kinds.map((kind) => kind.label.en), "the catalog");
  // What the check says about the differences, and about a file that is wrong.
  const field = page.getByRole("textbox", { name: "TOML" });
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("[[kind]]"));
  await field.fill(source);
  await press(page, "Show what would change");
  await page.getByRole("heading", { name: /things would change/ }).waitFor();
  await own.harmless(page, "differences");
  for (const some of pieces(PAYLOADS, 40)) {
    const wrong = `${some.map((payload) => `${quoted(payload)} = 1`).join("\n")}\n[[kind]]\nid = ${quoted(some[0])}\n`;
    await field.fill(wrong);
    await press(page, "Show what would change");
    await page.getByRole("alert").first().waitFor();
    await own.harmless(page, "problems");
  }
}, { long: 4 });

payloads("what browsers call themselves, in the list of sessions", async (own) => {
  // A header carries bytes; those of the few payloads that are not ASCII are tried too, but not looked for.
  const ascii = (text) => /^[\x20-\x7e]*$/.test(text);
  const brand = await own.account();
  for (const some of pieces(PAYLOADS, SESSIONS)) {
    const person = await brand.member();
    for (const agent of some) await signIn(own.url, person.email, person.password, Buffer.from(agent).toString("latin1"));
    const page = await own.page(person);
    await page.goto("/profile");
    await own.shows(page, some.filter(ascii).map((agent) => agent.slice(0, AGENT_SHOWN)), "sessions");
    await page.context().close();
  }
}, { long: 4 });

// As a text that is one, whatever it looks like: the router reads JSON from addresses.
const asText = (payload) => encodeURIComponent(/^(true|null|NaN|undefined|\d+|[[{"].*)$/.test(payload) ? JSON.stringify(payload) : payload);

payloads("addresses of an account's pages: search, filters, tabs, ids", async (own) => {
  const brand = await own.account();
  const person = await brand.member();
  const token = await person.token(brand, "There is one");
  const page = await own.page(person);
  await page.goto(brand.tokens);
  await page.getByRole("article").first().waitFor();
  const steps = PAYLOADS.flatMap((payload) => {
    const text = encodeURIComponent(payload);
    const odd = [`${brand.tokens}?q=${text}&created=${text}&state=${text}&${text}=${text}`, `${brand.tokens}/${token.id}?tab=${text}`, `${brand.tokens}/${text}`, `${brand.path}/activity?action=${text}&subject=${text}&since=${text}`, `/accounts/${text}/tokens`, `/${text}`];
    return [...odd.map((at) => [at, []]), [`${brand.tokens}?q=${asText(payload)}`, [payload]]];
  });
  await own.walks(page, steps, "an account's pages");
}, { long: 4 });

payloads("addresses of the operator's pages and the doors: search, hash, where to go", async (own) => {
  const operators = await own.page(own.operator);
  await operators.goto("/operator/people");
  const doors = await own.page();
  await doors.goto("/sign-in");
  await own.walks(operators, PAYLOADS.flatMap((payload) => ["accounts", "people"].map((list) => [`/operator/${list}?q=${asText(payload)}`, [payload]])), "a search");
  const ways = (payload) => ["sign-in?to=", "invitation#", "bootstrap#", "confirm#", "unsubscribe#"].map((door) => [`/${door}${encodeURIComponent(payload)}`, []]);
  await own.walks(doors, PAYLOADS.flatMap(ways), "a door");
}, { long: 3 });

payloads("what is typed into fields that show it while one types", async (own) => {
  const brand = await own.account();
  const person = await brand.member();
  const page = await own.page(person);
  await page.goto(`${brand.tokens}/new`);
  await own.types(page, page.getByRole("textbox", { name: "Description" }), "a description");
  await own.types(page, page.getByRole("textbox", { name: "Token Name" }), "a name");
  await press(page, "Next");
  const emails = page.getByRole("textbox", { name: "Developer e-mail addresses" });
  await own.types(page, emails, "developer addresses", "Enter");
  await emails.fill("");
  await press(page, "Next");
  const search = page.getByRole("searchbox", { name: "Search by label, method or path" });
  await own.types(page, search, "a search for scopes");
  await search.fill("");
  await press(page, "Next");
  await own.shows(page, PAYLOADS.slice(-1), "the summary");
  const door = await own.page();
  await door.goto("/sign-in");
  await own.types(door, door.getByRole("textbox", { name: "E-mail address" }), "an e-mail address");
  await door.goto("/invitation");
  await own.types(door, door.getByRole("textbox", { name: "Code from the link" }), "a code");
}, { long: 2 });

// Where the server says why it refuses: the page, what opens the dialog, its field, what sends it, what one presses where
// it was taken after all.
const REFUSED = [
  ["members", "Invite a member", "E-mail address", "Make the invitation", "I have copied it"],
  ["gateways", "Create gateway", "Name", "Create gateway", "I have copied them"],
  ["webhooks", "Add webhook", "URL", "Add webhook", "I have copied it"],
];
for (const [at, opens, field, send, kept] of REFUSED) {
  payloads(`what the server refuses and says why: ${at}`, async (own) => {
    const brand = await own.account();
    const page = await own.page(own.operator);
    await page.goto(at === "gateways" ? "/operator/gateways" : `${brand.path}/${at}`);
    await button(page, opens).first().click();
    for (const payload of PAYLOADS) {
      await dialog(page).getByRole("textbox", { name: field, exact: true }).fill(payload);
      const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === "POST"), press(dialog(page), send)]);
      await (answer.ok() ? button(page, kept) : dialog(page).getByRole("alert").or(dialog(page).locator(".err:visible")).first()).waitFor();
      await own.harmless(page, payload);
      if (!answer.ok()) continue;
      await press(page, kept);
      await noDialog(page);
      await button(page, opens).first().click();
    }
  }, { long: 2 });
}

payloads("addresses a token may be used from, refused", async (own) => {
  const brand = await own.account();
  const person = await brand.member();
  const token = await person.token(brand, "Typed at");
  const page = await own.page(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  const addresses = page.getByRole("textbox", { name: "Allowed addresses" });
  for (const payload of PAYLOADS.filter((_, index) => index % SPARSE === 0)) {
    await addresses.fill(payload);
    await press(page, "Update");
    await own.shows(page, [payload.split(/[\s,;]+/).filter(Boolean)[0]], "an update");
    await press(dialog(page), "Update");
    await noDialog(page);
    await page.locator(".err:visible, [role=alert]").first().waitFor();
    await own.harmless(page, payload);
  }
}, { long: 1 });

flow("the watch on payloads finds what it is for", async (room) => {
  const own = await begin(room);
  const page = await own.page();
  await page.goto("/sign-in");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await own.harmless(page, "nothing yet");
  const wicked = [`<img src="x" onerror="alert(1)">`, `<a href="javascript:alert(1)">x</a>`, `<b onclick="alert(1)">x</b>`, `<svg><animate onbegin="alert(1)"></animate></svg>`];
  for (const html of wicked) {
    await page.evaluate((text) => {
      globalThis.caught.length = 0;
      const parsed = new DOMParser().parseFromString(text, "text/html");
      document.getElementById("main").append(...parsed.body.childNodes);
    }, html);
    await page.waitForFunction(() => globalThis.caught.length > 0);
  }
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "document.title = 'ran'";
    document.body.append(script);
  });
  assert.notEqual(await page.title(), "ran");
  await page.waitForFunction(() => globalThis.caught.some((one) => one.startsWith("policy: script-src")));
  await assert.rejects(own.harmless(page, "wicked"), /policy/);
  await assert.rejects(own.shows(page, ["a text nobody wrote"], "nothing"), /not shown as it is/);
  // What the browser wrote about it was asked for.
  assert.ok(page.complaints.splice(0).some((complaint) => complaint.includes("Content Security Policy")));
  await own.end().catch(() => undefined);
});
