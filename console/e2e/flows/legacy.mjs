// The legacy pair of each kind of account: the button, the card, its page, both resets, and the way out.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, card, dialog, inForce, menu, noDialog, press, shownOnce } from "../hands.mjs";

const LEGACY = "Legacy Account Tokens";
const SECRET = /^[a-z][a-z0-9]{1,14}_[0-9A-Za-z]{38}$/;

for (const kind of ["brand", "agency", "partner"]) {
  flow(`${kind}: enable, the card, both resets, disable, enable, delete, and the button is back`, async ({ account, page: open }) => {
    const own = await account(kind);
    const person = await own.member();
    const page = await open(person);
    await page.goto(own.tokens);
    await button(page, "Enable Legacy Tokens").first().click();
    await dialog(page).getByText("They cannot be limited to some operations").waitFor();
    await dialog(page).getByRole("button", { name: "Enable Legacy Tokens" }).click();
    await button(page, "I have copied them").waitFor();
    const secrets = await dialog(page).getByText(SECRET).allInnerTexts();
    const sids = await dialog(page).getByText(/^[A-Z]{2}[0-9A-Z]{26}$/).allInnerTexts();
    assert.equal(new Set(secrets).size, 2);
    assert.equal(new Set(sids).size, 2);
    await press(page, "I have copied them");
    await card(page, LEGACY).waitFor();
    await button(page, "Enable Legacy Tokens").waitFor({ state: "detached" });
    for (const half of ["Reset (Read/Write)", "Reset (Read-Only)"]) {
      await menu(page, LEGACY, half);
      await press(page, "Reset token");
      await button(page, "I have copied them").waitFor();
      assert.ok(!secrets.includes((await shownOnce(page)).secret));
      await press(page, "I have copied them");
      await noDialog(page);
    }
    await menu(page, LEGACY, "Disable");
    await press(page, "Disable both");
    await noDialog(page);
    await card(page, LEGACY).getByText("Disabled", { exact: true }).waitFor();
    await menu(page, LEGACY, "Enable");
    await press(page, "Enable both");
    await noDialog(page);
    await card(page, LEGACY).getByText("Enabled", { exact: true }).waitFor();
    await menu(page, LEGACY, "Delete");
    await press(page, "Delete both");
    await noDialog(page);
    await button(page, "Enable Legacy Tokens").first().waitFor();
    await card(page, LEGACY).waitFor({ state: "detached" });
  });
}

flow("its page: the four values, a reset there, and the way out as a scoped token; nginx follows each step", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const pair = await person.asks("POST", `${brand.path}/legacy-tokens`);
  const half = (name) => ({ sid: pair[name]?.sid ?? pair.legacy_tokens[name].sid });
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, LEGACY).getByRole("link", { name: LEGACY }).click();
  await page.waitForURL(/\/legacy$/);
  await page.getByRole("navigation", { name: LEGACY }).getByRole("link", { name: "API Credentials" }).click();
  await page.getByText(half("read_write").sid).waitFor();
  await page.getByText(half("read_only").sid).waitFor();
  await press(page, "Reveal Auth Token (Read-only)");
  const secret = await page.locator("code", { hasText: SECRET }).innerText();
  const { sid } = half("read_only");
  assert.equal(await demo.ask(sid, secret), 200);
  await button(page, "Reset (Read-Only)…").click();
  await press(page, "Reset token");
  await press(page, "I have copied them");
  await noDialog(page);
  assert.equal(await demo.ask(sid, secret), 401);
  await page.getByRole("navigation", { name: LEGACY }).getByRole("link", { name: "Overview" }).click();
  await press(page, "Duplicate as a scoped token");
  await dialog(page).getByText("the way out of legacy").waitFor();
  await press(page, "Duplicate token");
  await button(page, "I have copied them").waitFor();
  const scoped = await shownOnce(page);
  assert.equal(await demo.ask(scoped.sid, scoped.secret), 200);
  await press(page, "I have copied them");
  await press(page, "Disable");
  await press(page, "Disable both");
  await inForce(page, "Legacy tokens changed.");
  assert.equal(await demo.ask(scoped.sid, scoped.secret), 200);
});
