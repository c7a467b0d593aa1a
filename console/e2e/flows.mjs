// Drives a running console as people do, against the real server: wizard, reveal, every deed of the card menu, the legacy
// pair, two editors of one token, filters in the address, keyboard, languages. Leaves the account as it found it.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";

const url = process.env.CONSOLE_URL ?? "http://localhost:25173";
const [email, password] = (process.env.CONSOLE_PERSON ?? "").split(":");
const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const name = `Walk ${Date.now().toString(36)}`;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const open = async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-US", bypassCSP: false });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: url });
  const page = await context.newPage();
  page.on("pageerror", (error) => { throw error; });
  page.on("console", (message) => /Content Security Policy/i.test(message.text()) && assert.fail(message.text()));
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name: /API|Platform/ }).waitFor();
  return page;
};
let steps = 0;
const step = async (what, run) => {
  try {
    await run();
    steps += 1;
    console.log(`ok ${steps} ${what}`);
  } catch (error) {
    await page.screenshot({ path: "/tmp/console-flow-failed.png" }).catch(() => undefined);
    console.log(`not ok: ${what}\n${error.message}`);
    await browser.close();
    process.exit(1);
  }
};
const page = await open();
const list = new URL(page.url()).pathname;
const card = (of) => page.getByRole("article", { name: of, exact: true });
const menu = async (of, item) => {
  await page.getByRole("button", { name: `More: ${of}`, exact: true }).click();
  await page.getByRole("menuitem", { name: item }).click();
};
const press = (button) => page.getByRole("button", { name: button, exact: true }).click();
const gone = () => page.getByRole("dialog").or(page.getByRole("alertdialog")).waitFor({ state: "detached" });
const clean = async (where) => {
  // React Aria's announcer names a button that may be gone a moment later; it empties itself after seven seconds.
  // Runs as an isolated evaluation, so the page's own policy stays in force.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ exclude: ["[data-live-announcer]"] }, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  assert.deepEqual(found.violations.map((row) => `${where}: ${row.id} ${row.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " in " + node.target).join(" | ")}`), []);
};

await step("the wizard, by keyboard", async () => {
  await page.getByRole("link", { name: "Create access token" }).first().click();
  await page.getByLabel("Token Name").fill(name);
  await clean("setup");
  await page.getByRole("button", { name: "Next" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Who answers for it?" }).waitFor();
  await page.getByLabel("Developer e-mail addresses").fill("dev@example.com");
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: "dev@example.com" }).waitFor();
  await clean("contact");
  await page.getByRole("button", { name: "Back" }).click();
  assert.equal(await page.getByLabel("Token Name").inputValue(), name);
  await press("Next");
  await press("Next");
  await page.getByRole("heading", { name: "What may this token do?" }).waitFor();
  await page.getByRole("button", { name: "All reads" }).click();
  await clean("scopes");
  await press("Next");
  await press("Create");
  await page.getByRole("heading", { name: "Copy the credentials" }).waitFor();
  await clean("made");
  await page.getByRole("button", { name: "Copy Auth Token" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^[a-z][a-z0-9]{4,14}_[0-9A-Za-z]{38}$/);
  await page.getByRole("link", { name: "Back to the tokens" }).click();
  await card(name).waitFor();
});
await step("the list has no violation, and filters live in the address", async () => {
  await clean("list");
  await page.getByLabel("Search by Name").fill(name.slice(0, 6));
  await page.waitForURL(/q=Walk/);
  await page.getByRole("radio", { name: "Disabled" }).click();
  await page.waitForURL(/state=disabled/);
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Nothing matches" }).waitFor();
  await page.getByRole("button", { name: "Clear All" }).first().click();
  await card(name).waitFor();
  assert.equal(new URL(page.url()).search, "");
});
await step("disable, then enable with a reset", async () => {
  await menu(name, "Disable");
  await clean("disable");
  await press("Disable token");
  await gone();
  await card(name).getByText("Disabled").waitFor();
  await menu(name, "Enable");
  await page.getByText("Reset the Auth Token too").click();
  await press("Enable token");
  await page.getByText(/^csign_|_[0-9A-Za-z]{38}$/).first().waitFor();
  await press("I have copied them");
  await card(name).getByText("Enabled", { exact: true }).waitFor();
});
await step("reset with an overlap", async () => {
  await menu(name, "Reset");
  await page.getByText("24 hours").click();
  await press("Reset token");
  await press("I have copied them");
  await card(name).getByText(/The old secret works until/).waitFor();
});
await step("duplicate", async () => {
  await menu(name, "Duplicate");
  await press("Duplicate token");
  await press("I have copied them");
  await card(`Copy of ${name}`).waitFor();
});
await step("reveal, hide, and what leaves when the page is hidden", async () => {
  await page.getByRole("link", { name, exact: true }).click();
  await page.getByRole("link", { name: "API Credentials" }).click();
  await page.waitForURL(/tab=credentials/);
  await clean("credentials");
  await page.getByRole("button", { name: "Reveal Auth Token" }).click();
  const secret = page.locator(".secret code", { hasText: /_[0-9A-Za-z]{38}$/ });
  await secret.waitFor();
  await page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
  await secret.waitFor({ state: "detached" });
});
await step("two people edit one token", async () => {
  const other = await open();
  await other.goto(page.url().replace("tab=credentials", ""));
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByLabel("Description").fill("mine");
  await other.getByLabel("Allowed addresses").fill("192.0.2.0/24");
  await other.getByRole("button", { name: "Update", exact: true }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  await other.getByText("Everything is saved").waitFor();
  await press("Update");
  await page.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  await page.getByRole("heading", { name: "Somebody else changed this token" }).waitFor();
  await clean("stale");
  await press("Keep mine on top");
  assert.equal(await page.getByLabel("Allowed addresses").inputValue(), "192.0.2.0/24");
  await press("Update");
  await page.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  await page.getByText("Everything is saved").waitFor();
  await other.context().close();
});
await step("unsaved changes ask before leaving", async () => {
  await page.getByLabel("Description").fill("lost");
  await page.getByRole("link", { name: "API", exact: true }).or(page.getByRole("link", { name: "Countersign" })).first().click();
  await page.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await press("Stay here");
  assert.equal(await page.getByLabel("Description").inputValue(), "lost");
  await page.getByLabel("Description").fill("mine");
});
await step("scopes and activity", async () => {
  await page.getByRole("link", { name: "API Scopes" }).click();
  await clean("token scopes");
  await page.getByRole("link", { name: "Activity", exact: true }).click();
  await page.getByText("Token created").waitFor();
  await clean("activity");
});
await step("a lost connection says so and keeps what was typed", async () => {
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByLabel("Description").fill("typed while away");
  await page.context().setOffline(true);
  await page.getByRole("alert").filter({ hasText: "No connection" }).waitFor();
  await press("Update");
  await page.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  await page.getByText("cannot be reached").waitFor();
  assert.equal(await page.getByLabel("Description").inputValue(), "typed while away");
  await page.context().setOffline(false);
  await press("Update");
  await page.getByRole("dialog").getByRole("button", { name: "Update", exact: true }).click();
  await page.getByText("Everything is saved").waitFor();
});
await step("delete needs the name", async () => {
  await press("Delete");
  const run = page.getByRole("button", { name: "Delete for ever" });
  assert.ok(await run.isDisabled());
  await page.getByLabel(/Type the name/).fill(name);
  await run.click();
  await page.waitForURL((at) => at.pathname === list);
  await menu(`Copy of ${name}`, "Delete");
  await page.getByLabel(/Type the name/).fill(`Copy of ${name}`);
  await page.getByRole("button", { name: "Delete for ever" }).click();
  await gone();
  await card(`Copy of ${name}`).waitFor({ state: "detached" });
});
await step("legacy: enable, both resets, disable, delete, the button is back", async () => {
  const button = page.getByRole("button", { name: "Enable Legacy Tokens" }).first();
  await button.click();
  await page.getByRole("dialog").getByRole("button", { name: "Enable Legacy Tokens" }).click();
  await press("I have copied them");
  await card("Legacy Account Tokens").waitFor();
  await button.waitFor({ state: "detached" });
  await clean("legacy card");
  for (const half of ["Reset (Read/Write)", "Reset (Read-Only)"]) {
    await menu("Legacy Account Tokens", half);
    await press("Reset token");
    await press("I have copied them");
  }
  await page.getByRole("link", { name: "Legacy Account Tokens" }).click();
  await page.getByRole("link", { name: "API Credentials" }).click();
  await clean("legacy page");
  await page.goto(url + list);
  await menu("Legacy Account Tokens", "Disable");
  await press("Disable both");
  await gone();
  await menu("Legacy Account Tokens", "Delete");
  await press("Delete both");
  await gone();
  await button.waitFor();
});
await step("members, activity, profile, and the other language", async () => {
  for (const at of ["members", "activity"]) {
    await page.goto(url + list.replace("tokens", at));
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(400);
    await clean(at);
  }
  await page.goto(`${url}/profile`);
  await page.getByRole("heading", { level: 1, name: "User Profile" }).waitFor();
  await clean("profile");
  await page.getByRole("button", { name: "Language: English" }).click();
  await page.getByRole("menuitemradio", { name: "简体中文" }).click();
  await page.getByRole("heading", { level: 1, name: "用户资料" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
  await page.getByRole("button", { name: "语言：简体中文" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("heading", { level: 1, name: "User Profile" }).waitFor();
});
await browser.close();
console.log(`${steps} flows passed`);
