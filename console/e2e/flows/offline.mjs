// A lost connection: the page says so, keeps what was typed, sends nothing, and goes on when the connection is back.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { card, dialog, heading, inForce, noDialog, press } from "../hands.mjs";

const NOTICE = "No connection. What you typed is kept";
const REACHED = /The server cannot be reached/;

async function away(page) {
  page.expectsOffline();
  await page.context().setOffline(true);
  await page.getByText(NOTICE).waitFor();
}
async function back(page) {
  await page.context().setOffline(false);
  await page.getByText(NOTICE).waitFor({ state: "detached" });
}
/** Somebody of a brand of their own. */
async function somebody(account) {
  const brand = await account();
  return { brand, person: await brand.member() };
}

flow("in the wizard: typed before and while away, created once when back", async ({ account, page: open }) => {
  const { brand, person } = await somebody(account);
  const page = await open(person);
  await page.goto(`${brand.tokens}/new`);
  await page.getByLabel("Token Name").fill("Made on a train");
  await away(page);
  await page.getByLabel("Description").fill("typed in the tunnel");
  for (const next of ["Who answers for it?", "What may this token do?", "Look it over"]) {
    await press(page, "Next");
    await heading(page, next);
  }
  await press(page, "Create");
  await page.getByText(REACHED).waitFor();
  await press(page, "Create");
  await page.getByText(REACHED).waitFor();
  for (const text of ["Made on a train", "typed in the tunnel"]) await page.getByRole("definition").filter({ hasText: text }).waitFor();
  await back(page);
  await press(page, "Create");
  await heading(page, "Copy the credentials");
  assert.deepEqual((await person.all(`${brand.path}/tokens`)).map((row) => row.name), ["Made on a train"]);
});

flow("on a token's page: the edit waits for the connection", async ({ account, page: open }) => {
  const { brand, person } = await somebody(account);
  const token = await person.token(brand, "Edited on a train");
  const page = await open(person);
  await page.goto(`${brand.tokens}/${token.id}`);
  await page.getByLabel("Description").fill("before");
  await away(page);
  await page.getByLabel("Description").fill("in the tunnel");
  const update = async () => {
    await press(page, "Update");
    await dialog(page).getByRole("button", { name: "Update", exact: true }).click();
  };
  await update();
  await page.getByText(REACHED).waitFor();
  assert.equal(await page.getByLabel("Description").inputValue(), "in the tunnel");
  await page.getByText("Not saved: Description").waitFor();
  await back(page);
  await update();
  await inForce(page, "Updated.");
  assert.equal((await person.asks("GET", `${brand.path}/tokens/${token.id}`)).description, "in the tunnel");
});

flow("a deed in a dialog: it says so, stays open, and is done when back", async ({ account, demo, page: open }) => {
  const { brand, person } = await somebody(account);
  const token = await person.token(brand, "Disabled on a train");
  const page = await open(person);
  await page.goto(brand.tokens);
  await press(page, `More: ${token.name}`);
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await away(page);
  await press(page, "Disable token");
  await dialog(page).getByText(REACHED).waitFor();
  assert.equal(await demo.ask(token.sid, token.secret), 200);
  await back(page);
  await press(page, "Disable token");
  await noDialog(page);
  assert.equal(await demo.ask(token.sid, token.secret), 403);
});

flow("the list: filters are kept and asked again when back", async ({ account, page: open }) => {
  const { brand, person } = await somebody(account);
  for (const name of ["Alpha", "Beta"]) await person.token(brand, name);
  const page = await open(person);
  await page.goto(brand.tokens);
  await card(page, "Beta").waitFor();
  await away(page);
  await page.getByLabel("Search by Name").fill("alpha");
  await page.waitForURL(/q=alpha/);
  await page.getByText(REACHED).waitFor();
  await back(page);
  await page.getByRole("button", { name: "Try again" }).click();
  await card(page, "Alpha").waitFor();
  await card(page, "Beta").waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Search by Name").inputValue(), "alpha");
});

flow("members and profile: nothing is sent twice, nothing typed is lost", async ({ account, page: open }) => {
  const { brand, person } = await somebody(account);
  const page = await open(person);
  await page.goto(`${brand.path}/members`);
  await press(page, "Invite a member");
  await away(page);
  await dialog(page).getByLabel("E-mail address").fill("invited.on.a.train@demo.example");
  await press(page, "Make the invitation");
  await dialog(page).getByText(REACHED).waitFor();
  await back(page);
  await press(page, "Make the invitation");
  await press(page, "I have copied it");
  assert.equal((await person.all(`${brand.path}/invitations`)).length, 1);
  await page.goto("/profile");
  await heading(page, "User Profile");
  await away(page);
  await page.getByLabel("Name", { exact: true }).fill("Renamed On A Train");
  await press(page, "Update");
  await page.getByText(REACHED).waitFor();
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Renamed On A Train");
  await back(page);
  await press(page, "Update");
  await inForce(page, "Updated.");
});
