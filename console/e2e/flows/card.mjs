// The menu of a token's card: every item of it, what it says before, and what nginx answers afterwards.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, card, dialog, inForce, menu, noDialog, press, shownOnce } from "../hands.mjs";

const SECRET = /^[a-z][a-z0-9]{1,14}_[0-9A-Za-z]{38}$/;

flow("disable: the next request through nginx is refused; enable: it is answered; delete: never again", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Switch me off";
  const { sid, secret } = await person.token(brand, name, { developer_emails: ["developer@demo.example"] });
  assert.equal(await demo.ask(sid, secret), 200);
  const page = await open(person);
  await page.goto(brand.tokens);
  await menu(page, name, "Disable");
  const alert = page.getByRole("alertdialog", { name: `Disable “${name}”?` });
  await alert.getByText("What stops when you confirm").waitFor();
  await alert.getByText("1 that read").waitFor();
  await press(page, "Disable token");
  await inForce(page, "is disabled");
  assert.equal(await demo.ask(sid, secret), 403);
  await noDialog(page);
  await card(page, name).getByText("Disabled", { exact: true }).waitFor();
  await menu(page, name, "Enable");
  await press(page, "Enable token");
  await inForce(page, "is enabled");
  assert.equal(await demo.ask(sid, secret), 200);
  await noDialog(page);
  await menu(page, name, "Delete");
  const last = button(page, "Delete for ever");
  await page.getByLabel(/Type the name/).fill("Switch me");
  assert.ok(await last.isDisabled());
  await page.getByLabel(/Type the name/).fill(name);
  await last.click();
  await inForce(page, "was deleted");
  assert.equal(await demo.ask(sid, secret), 401);
  await card(page, name).waitFor({ state: "detached" });
});

flow("enable with a reset: the old secret stays refused, the new one works", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Leaked perhaps";
  const { sid, secret } = await person.token(brand, name);
  await person.asks("POST", `${brand.path}/tokens/${(await person.all(`${brand.path}/tokens`))[0].id}/disable`, {});
  const page = await open(person);
  await page.goto(brand.tokens);
  await menu(page, name, "Enable");
  await page.getByText("Reset the Auth Token too").click();
  await press(page, "Enable token");
  const fresh = await dialog(page).getByText(SECRET).innerText();
  assert.deepEqual([await demo.ask(sid, secret), await demo.ask(sid, fresh)], [401, 200]);
  await press(page, "I have copied them");
  await noDialog(page);
  await card(page, name).getByText("Enabled", { exact: true }).waitFor();
});

flow("reset: at once, or with an overlap in which both secrets work", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Reset me";
  const { sid, secret } = await person.token(brand, name);
  const page = await open(person);
  await page.goto(brand.tokens);
  await menu(page, name, "Reset");
  await page.getByText("24 hours").click();
  await page.getByText("Old and new Auth Token both work until the overlap ends").waitFor();
  await press(page, "Reset token");
  await press(page, "Copy Auth Token");
  const second = await dialog(page).getByText(SECRET).innerText();
  assert.notEqual(second, secret);
  assert.deepEqual([await demo.ask(sid, secret), await demo.ask(sid, second)], [200, 200]);
  await press(page, "I have copied them");
  await card(page, name).getByText(/The old secret works until/).waitFor();
  await menu(page, name, "Reset");
  await page.getByText("The old Auth Token stops at once").waitFor();
  await press(page, "Reset token");
  const third = await dialog(page).getByText(SECRET).innerText();
  assert.deepEqual([await demo.ask(sid, secret), await demo.ask(sid, second), await demo.ask(sid, third)], [401, 401, 200]);
});

flow("duplicate: a token of its own with the same scopes", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Copy me";
  const { sid } = await person.token(brand, name);
  const page = await open(person);
  await page.goto(brand.tokens);
  await menu(page, name, "Duplicate");
  assert.equal(await page.getByLabel("Token Name").inputValue(), `Copy of ${name}`);
  await press(page, "Duplicate token");
  await button(page, "I have copied them").waitFor();
  const copy = await shownOnce(page);
  assert.notEqual(copy.sid, sid);
  assert.equal(await demo.ask(copy.sid, copy.secret), 200);
  await press(page, "I have copied them");
  await card(page, `Copy of ${name}`).waitFor();
});

flow("upgrade: the version goes up, by the card's menu and by its mark, and is offered no more at the latest", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const name = "Old version";
  await person.token(brand, name, { api_version: 12 });
  const page = await open(person);
  await page.goto(brand.tokens);
  await menu(page, name, "Upgrade Version");
  await page.getByText("A version can only go up").waitFor();
  await dialog(page).getByRole("button", { name: /Version 14/ }).click();
  assert.deepEqual((await page.getByRole("option").allInnerTexts()).map((text) => text.split("\n")[0]), ["Version 14", "Version 13"]);
  await page.getByRole("option", { name: /Version 13/ }).click();
  await press(page, "Upgrade version");
  await inForce(page, "was upgraded");
  await noDialog(page);
  await card(page, name).getByRole("button", { name: "14 available" }).click();
  await press(page, "Upgrade version");
  await noDialog(page);
  await card(page, name).getByText("Latest").waitFor();
  await press(page, `More: ${name}`);
  assert.equal(await page.getByRole("menuitem", { name: /Upgrade Version/ }).getAttribute("aria-disabled"), "true");
});

flow("a confirmation names the token, when it was last used and from where", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const token = await person.token(brand, "In use");
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  // Uses are written together, every few seconds.
  const end = Date.now() + 30_000;
  while (!(await person.asks("GET", `${brand.path}/tokens/${token.id}`)).last_used_at) assert.ok(Date.now() < end, "the use is never known");
  const page = await open(person);
  await page.goto(brand.tokens);
  for (const item of ["Reset", "Disable", "Delete"]) {
    await menu(page, token.name, item);
    await dialog(page).getByRole("heading", { name: new RegExp(`“${token.name}”`) }).waitFor();
    await dialog(page).getByText("This token is in use.").waitFor();
    await dialog(page).getByText(/from 127\.0\.0\.1/).waitFor();
    await page.keyboard.press("Escape");
    await noDialog(page);
  }
});
