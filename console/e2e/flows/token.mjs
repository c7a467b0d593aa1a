// The page of one token: its tabs, the secret, Update with its confirmation, what asks before it is lost.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, dialog, heading, inForce, noDialog, press } from "../hands.mjs";

const update = async (page) => {
  await press(page, "Update");
  await dialog(page).getByRole("button", { name: "Update", exact: true }).click();
};

flow("every tab has its address; back and forward go through them", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Tabs");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  const shows = { Overview: "Description", "API Credentials": "Account SID", "API Scopes": "Presets", Activity: "Token created" };
  for (const [tab, text] of Object.entries(shows)) {
    await page.getByRole("navigation", { name: "Token" }).getByRole("link", { name: tab }).click();
    await page.getByText(text, { exact: true }).first().waitFor();
  }
  await page.waitForURL(/tab=activity/);
  for (const tab of ["scopes", "credentials"]) {
    await page.goBack();
    await page.waitForURL(new RegExp(`tab=${tab}`));
  }
  await page.goForward();
  await page.waitForURL(/tab=scopes/);
  await page.reload();
  await page.getByText("Presets", { exact: true }).waitFor();
});

flow("the secret: revealed, copied, masked when asked, when the page is left and when it is hidden; all of it recorded", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Reveal me");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}?tab=credentials`);
  const secret = page.getByText(token.secret, { exact: true });
  await button(page, "Reveal Auth Token").waitFor();
  assert.equal(await secret.count(), 0);
  assert.ok(!(await page.content()).includes(token.secret), "the secret is not in the page before");
  const leave = () => page.evaluate(() => window.dispatchEvent(new Event("pagehide")));
  const hide = () =>
    page.evaluate(() => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
      document.dispatchEvent(new Event("visibilitychange"));
      delete document.hidden;
    });
  for (const ends of [() => press(page, "Hide Auth Token"), leave, hide]) {
    await press(page, "Reveal Auth Token");
    await secret.waitFor();
    await ends();
    await secret.waitFor({ state: "detached" });
  }
  await press(page, "Copy Account SID");
  await press(page, "Copy Auth Token");
  await page.getByText("Copied").first().waitFor();
  await page.getByRole("link", { name: "Activity", exact: true }).click();
  await page.getByText("Auth Token revealed").nth(3).waitFor();
});

flow("a revealed secret is masked again after 30 seconds", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Thirty seconds");
  const page = await open(person);
  // The clock of the page, not of the server: it is moved, not waited for.
  await page.clock.install();
  await page.goto(`${brand.tokens}/${token.id}?tab=credentials`);
  await press(page, "Reveal Auth Token");
  const secret = page.getByText(token.secret, { exact: true });
  await secret.waitFor();
  await page.clock.runFor(29_000);
  assert.equal(await secret.count(), 1);
  await page.clock.runFor(1_500);
  await secret.waitFor({ state: "detached" });
});

flow("Update says what it changes, and does only that", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Change me", { scopes: ["brand.actions.list", "brand.actions.get"] });
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  assert.ok(await button(page, "Update").isDisabled());
  await page.getByLabel("Token Name").fill("Changed");
  await page.getByLabel("Allowed addresses").fill("192.0.2.0/24");
  await page.getByText("Not saved: Token Name and Allowed addresses").waitFor();
  await page.getByRole("link", { name: "API Scopes" }).click();
  await press(page, "Clear All");
  await press(page, "Update");
  const ask = page.getByRole("dialog", { name: "Update “Change me”" });
  await ask.getByText("2 removed:").waitFor();
  await ask.getByText("192.0.2.0/24").waitFor();
  await ask.getByRole("button", { name: "Go on editing" }).click();
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  await update(page);
  await inForce(page, "Updated.");
  assert.equal(await demo.ask(token.sid, token.secret), 403);
  await heading(page, "Changed");
  const kept = await person.asks("GET", `${brand.path}/tokens/${token.id}`);
  assert.deepEqual([kept.name, kept.scopes, kept.addresses, kept.description], ["Changed", [], ["192.0.2.0/24"], ""]);
  // What the server refuses is told at its field, and nothing is lost.
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByLabel("Allowed addresses").fill("nowhere");
  page.expects(400, 422);
  await update(page);
  await page.locator(".field .err", { hasText: /nowhere|network|address/i }).first().waitFor();
  assert.equal(await page.getByLabel("Allowed addresses").inputValue(), "nowhere");
});

flow("unsaved changes ask before one leaves the page, and not before one goes to another tab", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "Unsaved");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByLabel("Description").fill("typed");
  await page.getByRole("link", { name: "API Credentials" }).click();
  await page.getByRole("link", { name: "Overview" }).click();
  assert.equal(await page.getByLabel("Description").inputValue(), "typed");
  await page.getByRole("link", { name: "Countersign", exact: true }).click();
  await heading(page, "Leave without saving?");
  await press(page, "Stay here");
  await noDialog(page);
  assert.equal(await page.getByLabel("Description").inputValue(), "typed");
  // Closing the window asks too; the browser does.
  const asked = page.waitForEvent("dialog");
  await page.close({ runBeforeUnload: true });
  const question = await asked;
  assert.equal(question.type(), "beforeunload");
  await question.dismiss();
  await page.getByRole("link", { name: "Countersign", exact: true }).click();
  await press(page, "Leave and lose it");
  await page.waitForURL((at) => at.pathname === brand.tokens);
});

flow("disable, enable, reset and delete from the token's own page", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "From its page");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  await press(page, "Disable");
  await press(page, "Disable token");
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 403);
  await press(page, "Enable");
  await press(page, "Enable token");
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  await page.getByRole("link", { name: "API Credentials" }).click();
  await button(page, "Reset Token…").click();
  await press(page, "Reset token");
  await press(page, "I have copied them");
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 401);
  await press(page, "Delete");
  await page.getByLabel(/Type the name/).fill(token.name);
  // The page may ask once more for what was just deleted.
  page.expects(404);
  await press(page, "Delete for ever");
  await page.waitForURL((at) => at.pathname === brand.tokens);
  await heading(page, "Give your first integration a token of its own");
});
