// Telling people and machines: addresses that have not confirmed, letters by a real mail server, webhooks at a real
// receiver, announcements, what waits and what arrived.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mailServer, newInstallation } from "../demonstration.mjs";
import { flow } from "../flow.mjs";
import { button, card, dialog, heading, inForce, menu, noDialog, press } from "../hands.mjs";
import { firstOperator, platform } from "../platform.mjs";

const ARRIVES_MS = 60_000;

/** Waits for what another program does. */
async function until(question, what) {
  const end = Date.now() + ARRIVES_MS;
  for (let found = await question(); ; found = await question()) {
    if (found) return found;
    assert.ok(Date.now() < end, `${what} never comes`);
    await new Promise((turn) => setTimeout(turn, 50));
  }
}

/** Adds a flow with a server of its own that sends letters through a mail server of its own. */
const mailed = (what, steps, ...flags) =>
  flow(what, async (room) => {
    const mail = await mailServer(...flags);
    try {
      const installation = await newInstallation(...mail.flags);
      try {
        const operator = await firstOperator(installation.url, installation.code);
        await steps({
          operator,
          ...platform(installation.url, operator),
          url: installation.url,
          page: (person, options) => room.page(person, { url: installation.url, ...options }),
          /** The next letter to this address whose subject or text holds the words. */
          letter: (to, words) => until(() => mail.events.find((event) => event.event === "mail" && event.to.includes(to) && `${event.subject}\n${event.text}`.includes(words)), `a letter to ${to} with “${words}”`),
          letters: (to) => mail.events.filter((event) => event.event === "mail" && event.to.includes(to)),
        });
      } finally {
        await installation.end();
      }
    } finally {
      await mail.end();
    }
  }, { long: 1 });

/** The console's link in a letter. */
const link = (letter, url, path) => {
  const found = letter.text.split(/\s+/).find((word) => word.startsWith(`${url}/${path}#`));
  assert.ok(found, letter.text);
  return found;
};
const rows = (page) => page.locator("ol.deliveries > li");

mailed("a developer's address is asked, marked until it says yes, and told from then on", async ({ account, letter, letters, page: open, url }) => {
  const brand = await account();
  const person = await brand.member();
  const developer = "developer@demo.example";
  const token = await person.token(brand, "Told", { developer_emails: [developer] });
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, token.name).getByText(/developer@demo\.example is not yet told/).waitFor();
  await page.turn(`${brand.tokens}/${token.id}?tab=credentials`);
  await page.getByRole("row", { name: /developer@demo\.example/ }).getByText("not yet told").waitFor();
  const asked = await letter(developer, "/confirm#");
  const door = await open(undefined);
  await door.goto(link(asked, url, "confirm"));
  await press(door, "Yes, tell me");
  await door.getByText(`${developer} is confirmed.`).waitFor();
  await page.goto(brand.tokens);
  await card(page, token.name).waitFor();
  assert.equal(await page.getByText("is not yet told").count(), 0);
  // From now on a reset is told, and the dialog says to whom before.
  const before = letters(developer).length;
  await menu(page, token.name, "Reset");
  await dialog(page).getByText(developer).waitFor();
  await press(page, "Reset token");
  await press(page, "I have copied them");
  await noDialog(page);
  await until(() => letters(developer).length > before, "the letter about the reset");
  // A link with another code is refused and says so.
  door.expects(400, 401, 403, 404, 409, 410, 422);
  await door.open("/confirm#not-a-code");
  await press(door, "Yes, tell me");
  await door.getByRole("alert").waitFor();
});

mailed("an address its mail server refuses is shown as such, with what the server said", async ({ account, operator, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  await person.token(brand, "Nobody there", { developer_emails: ["gone@demo.example"] });
  await until(async () => (await person.all(`${brand.path}/tokens`))[0].told.some((row) => row.state === "bounced"), "the refusal");
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, "Nobody there").getByText(/gone@demo\.example cannot be reached/).waitFor();
  const operators = await open(operator);
  await operators.goto("/operator/outbox?state=dead");
  await rows(operators).first().getByText("gone@demo.example").waitFor();
  await rows(operators).first().getByText("550").waitFor();
}, "--refuse", "gone@demo.example");

mailed("messages: each with its tries, in the reader's language, by state, channel and event", async ({ account, letter, page: open }) => {
  const brand = await account();
  const person = await brand.member("account_administrator", { email: "reader@demo.example", language: "zh-CN" });
  const token = await person.token(brand, "Reported");
  await person.asks("POST", `${brand.path}/tokens/${token.id}/disable`, {});
  const told = await letter(person.email, token.name);
  assert.match(told.subject + told.text, /[\u4e00-\u9fff]/);
  const sent = () => person.all(`${brand.path}/deliveries`).then((all) => all.filter((row) => row.state === "sent"));
  await until(async () => (await sent()).length >= 2, "two letters");
  const page = await open(person);
  await page.goto(`${brand.path}/messages`);
  await rows(page).filter({ hasText: "Token disabled" }).first().waitFor();
  const all = await rows(page).count();
  await rows(page).filter({ hasText: "Token disabled" }).getByRole("button").first().click();
  await page.getByText("Try 1").waitFor();
  await page.getByText("Taken").waitFor();
  const pick = async (control, option) => {
    await page.getByRole("button", { name: new RegExp(`${control}$`) }).click();
    await page.getByRole("option", { name: option, exact: true }).click();
  };
  const count = (wanted) => page.waitForFunction((many) => document.querySelectorAll("ol.deliveries > li").length === many, wanted);
  await pick("About", "Token disabled");
  await page.waitForURL(/event=token\.disabled/);
  await count(1);
  await pick("State", "Sent");
  await pick("By", "E-mail");
  await page.waitForURL(/state=sent/);
  await count(1);
  await page.reload();
  await count(1);
  await pick("State", "Given up");
  await heading(page, "Nothing matches");
  await press(page, "Clear All");
  await page.waitForURL((at) => at.search === "");
  await count(all);
});

mailed("an announcement is written, looked at, sent once, and can be unsubscribed from", async ({ account, letter, letters, operator, page: open, url }) => {
  const brand = await account();
  const person = await brand.member("account_administrator", { email: "hears@demo.example" });
  await person.token(brand, "Concerned", { api_version: 12 });
  const other = await (await account("partner")).member("account_administrator", { email: "hears.not@demo.example" });
  const page = await open(operator);
  await page.goto("/operator/announcements");
  await page.getByRole("link", { name: "Write an announcement" }).click();
  await page.getByRole("textbox", { name: "Subject" }).first().fill("Version 12 ends in June");
  await page.getByRole("textbox", { name: "Text" }).first().fill("Please move to version 14.");
  await page.getByRole("checkbox", { name: "Brand" }).check({ force: true });
  await page.getByRole("link", { name: "People" }).click();
  await heading(page, "Leave without saving?");
  await press(page, "Stay here");
  await noDialog(page);
  await press(page, "Save draft");
  await inForce(page, "The draft is saved.");
  await heading(page, "Who would get it");
  await page.getByText(person.email).waitFor();
  assert.equal(await page.getByText(other.email).count(), 0);
  await press(page, "Send");
  await dialog(page).getByText("It cannot be changed or called back").waitFor();
  await dialog(page).getByText("1 address gets it").waitFor();
  await dialog(page).getByRole("button", { name: "Send" }).click();
  const told = await letter(person.email, "Version 12 ends in June");
  assert.ok(told.text.includes("Please move to version 14."));
  assert.ok(!letters(other.email).some((one) => one.subject.includes("Version 12")), "a partner is told nothing");
  await page.goto("/operator/announcements");
  await page.getByRole("listitem").filter({ hasText: "Version 12 ends in June" }).getByText("1 address").waitFor();
  const door = await open(undefined);
  await door.goto(link(told, url, "unsubscribe"));
  await press(door, "Unsubscribe");
  await door.getByText(`${person.email} gets letters about security only.`).waitFor();
  await press(door, "Let them come again");
  await door.getByText(`${person.email} gets all letters again.`).waitFor();
});

flow("webhooks: added, tried, signed, failing and mended, a new secret, disabled, deleted", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const path = `/hook/${brand.id}`;
  const heard = () => demo.webhooks.heard.filter((request) => request.path === path);
  const page = await open(person);
  await page.goto(`${brand.path}/webhooks`);
  await heading(page, "No webhooks yet");
  await button(page, "Add webhook").first().click();
  page.expects(400, 422);
  await page.getByRole("textbox", { name: "URL" }).fill("https://10.0.0.1/");
  await dialog(page).getByRole("button", { name: "Add webhook" }).click();
  await page.locator(".err:visible, [role=alert]").first().waitFor();
  await page.getByRole("textbox", { name: "URL" }).fill(`${demo.webhooks.url}${path}`);
  await dialog(page).getByRole("button", { name: "Add webhook" }).click();
  const shown = await dialog(page).getByText(/^whsec_/).innerText();
  await press(page, "I have copied it");
  await noDialog(page);
  assert.ok(!(await page.content()).includes(shown), "the secret is gone from the page");
  const url = `${demo.webhooks.url}${path}`;
  const act = (verb) => press(page, `${verb}: ${url}`);
  await act("Send a test");
  const request = await until(() => heard()[0], "the test");
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = request.headers;
  const key = Buffer.from(shown.replace("whsec_", ""), "base64");
  assert.ok(signature.split(" ").includes(`v1,${createHmac("sha256", key).update(`${id}.${at}.${request.body}`).digest("base64")}`), signature);
  await dialog(page).getByText("Sent", { exact: true }).first().waitFor();
  await dialog(page).getByText("204").first().waitFor();
  await page.keyboard.press("Escape");
  await noDialog(page);
  // A new token is heard of, and its secret is not.
  const token = await person.token(brand, "Heard");
  await until(() => heard().find((one) => one.body.includes(token.id) || one.body.includes(token.name)), "the new token");
  assert.ok(!heard().some((one) => one.body.includes(token.secret)));
  await act("New secret");
  await dialog(page).getByRole("button", { name: "New secret" }).click();
  assert.notEqual(await dialog(page).getByText(/^whsec_/).innerText(), shown);
  await press(page, "I have copied it");
  await noDialog(page);
  await page.getByText(/Former secret until/).waitFor();
  await act("Disable");
  await dialog(page).getByRole("button", { name: "Disable" }).click();
  await noDialog(page);
  await page.getByText("Disabled", { exact: true }).waitFor();
  assert.ok(await button(page, `Send a test: ${url}`).isDisabled());
  await act("Enable");
  await dialog(page).getByRole("button", { name: "Enable" }).click();
  await noDialog(page);
  await act("Edit");
  await dialog(page).getByText("Every event").click();
  await dialog(page).getByRole("checkbox", { name: /token\.reset/ }).check({ force: true });
  await press(page, "Update");
  await noDialog(page);
  await page.getByText("Token reset").waitFor();
  await act("Delete");
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await noDialog(page);
  await heading(page, "No webhooks yet");
});

flow("a webhook that fails: the log says what was answered, and another try is taken", async ({ account, demo, page: open }) => {
  const { webhooks } = demo;
  const brand = await account();
  const person = await brand.member();
  const url = `${webhooks.url}/failing/${brand.id}`;
  await person.asks("POST", `${brand.path}/webhooks`, { url, description: "", events: [] });
  const page = await open(person);
  await page.goto(`${brand.path}/webhooks`);
  webhooks.fails(`/failing/${brand.id}`, 500);
  await press(page, `Send a test: ${url}`);
  await dialog(page).getByText("Waiting", { exact: true }).first().waitFor();
  await dialog(page).locator("button.opener").first().click();
  await dialog(page).getByText("500").first().waitFor();
  webhooks.fails(`/failing/${brand.id}`, undefined);
  await press(page, "Try again now");
  await dialog(page).getByText("Sent", { exact: true }).first().waitFor();
});

flow("without a mail server letters are kept, and every page that waits for one says so", async ({ account, operator, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  await person.token(brand, "Kept");
  const page = await open(operator);
  await page.goto("/operator/outbox?channel=mail");
  await page.getByText("No mail server is configured: letters are kept here").waitFor();
  await rows(page).first().locator("button.opener").click();
  await page.getByText("A mail server: none is configured").waitFor();
  const members = await open(person);
  await members.goto(`${brand.path}/members`);
  await press(members, "Invite a member");
  await dialog(members).getByRole("textbox", { name: "E-mail address" }).fill("invited.by.link@demo.example");
  await press(members, "Make the invitation");
  await dialog(members).getByText(/\/invitation#/).waitFor();
});

flow("versions: who is on which, and whom to talk to", async ({ account, operator, page: open }) => {
  const agency = await account("agency");
  const person = await agency.member();
  const { kinds } = await person.asks("GET", "/catalog");
  const [oldest] = kinds.find((kind) => kind.id === "agency").versions.map((row) => row.number).sort((a, b) => a - b);
  const token = await person.token(agency, "Very old", { api_version: oldest });
  const page = await open(operator);
  await page.goto("/operator/versions");
  const table = page.getByRole("region", { name: "Agency" });
  const row = table.getByRole("row").filter({ has: page.getByRole("link", { name: String(oldest), exact: true }) });
  await row.getByRole("link", { name: String(oldest), exact: true }).click();
  await page.waitForURL(new RegExp(`number=${oldest}`));
  const there = page.getByRole("listitem").filter({ hasText: token.sid });
  await there.getByText(person.email).waitFor();
  await page.reload();
  await there.getByRole("link", { name: token.name }).click();
  await page.waitForURL(`**${agency.tokens}/${token.id}`);
});

flow("what needs care is counted, and a press shows it: expiring tokens, old versions", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  await person.token(brand, "Ends soon", { expires_at: new Date(Date.now() + 3 * 86_400_000).toISOString() });
  await person.token(brand, "Old version", { api_version: 12 });
  await person.token(brand, "Fine");
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, "Ends soon").getByText(/Expires in [23] days/).waitFor();
  const only = (name) => page.waitForFunction((wanted) => JSON.stringify([...document.querySelectorAll("article")].map((one) => one.getAttribute("aria-label"))) === JSON.stringify([wanted]), name);
  for (const [text, care, name] of [["1 expires soon", "expiring", "Ends soon"], ["1 can be upgraded", "old", "Old version"]]) {
    await page.getByRole("link", { name: text }).click();
    await page.waitForURL(new RegExp(`care=${care}`));
    await only(name);
    await page.reload();
    await only(name);
    await press(page, "Clear All");
    await card(page, "Fine").waitFor();
  }
  // The expiry is set on the token's page too, and lifted again.
  await card(page, "Fine").getByRole("link", { name: "Fine" }).click();
  const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Expiry").fill(day);
  await press(page, "Update");
  await dialog(page).getByRole("button", { name: "Update", exact: true }).click();
  await inForce(page, "Updated.");
  const kept = async () => (await person.all(`${brand.path}/tokens`)).find((row) => row.name === "Fine").expires_at;
  assert.equal((await kept()).slice(0, 10), day);
  await page.getByLabel("Expiry").fill("");
  await press(page, "Update");
  await dialog(page).getByRole("button", { name: "Update", exact: true }).click();
  await noDialog(page);
  await until(async () => !(await kept()), "the expiry is lifted");
});

flow("settings: API access off denies every token at once, on restores them; a shorter life asks first", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Switched");
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  const page = await open(person);
  await page.goto(`${brand.path}/settings`);
  await press(page, "Switch API access off");
  await dialog(page).getByText("Every token of the account is denied at once").waitFor();
  await dialog(page).getByRole("button", { name: "Switch API access off" }).click();
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 403);
  await press(page, "Enable API access");
  await button(page, "Switch API access off").waitFor();
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  await page.getByLabel("Days").fill("30");
  await press(page, "Update");
  await dialog(page).getByText("Tokens that are older end at once").waitFor();
  await dialog(page).getByRole("button", { name: "Update" }).click();
  await inForce(page, "Updated.");
  assert.equal((await person.asks("GET", brand.path)).token_lifetime_days, 30);
});
