// Who sees what: every role of every account kind of the catalog, on every page, by what its permissions say; and what
// somebody without them is told.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";
import { button, heading, press } from "../hands.mjs";

// Roles by the catalog's file, so that a changed catalog shows here.
const ROLES = {
  brand: { account_administrator: "all", implementation_specialist: "tokens", analyst: "none", finance: "none", performance_marketing_manager: "none" },
  agency: { account_administrator: "all", implementation_specialist: "tokens", analyst: "none", finance: "none", performance_marketing_manager: "none" },
  partner: { account_administrator: "all", technical: "tokens", finance: "none", creative: "none" },
};
const MAY = {
  all: ["tokens.view", "tokens.manage", "secrets.reveal", "members.manage", "audit.view", "account.manage"],
  tokens: ["tokens.view", "tokens.manage", "secrets.reveal", "audit.view"],
  none: [],
};
const PAGE = { brand: "API", agency: "Platform REST Web Services", partner: "API" };

/** The items of the menu that leads to the account's pages. */
async function menuOf(page, kind) {
  if (kind === "agency") return page.getByRole("navigation", { name: "Menu" }).getByRole("link").allInnerTexts();
  await page.getByRole("button", { name: /^User menu/ }).click();
  const items = await page.getByRole("menuitem").allInnerTexts();
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  return items;
}

/** What one person sees of an account, checked page by page. `may`: their permissions; `operator`: they act with rights. */
async function checks(page, { own, token, kind, may, member }) {
  const has = (permission) => may.includes(permission);
  await page.goto(own.tokens);
  if (has("tokens.view")) {
    await page.getByRole("article", { name: token.name }).waitFor();
    await page.getByRole("article", { name: "Legacy Account Tokens" }).waitFor();
  } else {
    await heading(page, "Your role does not include API tokens");
    await page.getByText(/^The permission “See tokens” is missing\. .*(Account Administrator|Technical|Implementation Specialist)/).waitFor();
    assert.equal(await page.getByRole("article").count(), 0);
  }
  assert.equal(await page.getByRole("link", { name: "Create access token" }).count(), has("tokens.manage") ? 1 : 0);
  assert.equal(await page.getByRole("button", { name: /^More: / }).count(), has("tokens.manage") ? 2 : 0);
  const items = (await menuOf(page, kind)).map((text) => text.trim());
  const pages = [has("tokens.view") && PAGE[kind], (has("members.manage") || has("tokens.view")) && "Members", has("audit.view") && "Activity"].filter(Boolean);
  for (const name of [PAGE[kind], "Members", "Activity"]) assert.equal(items.includes(name), pages.includes(name), `${name} among ${items}`);
  assert.ok(items.includes("User Profile"));

  await page.turn(`${own.tokens}/new`);
  if (has("tokens.manage")) await heading(page, "What is the token for?");
  else await heading(page, "Your role does not include API tokens");

  for (const at of [`${own.tokens}/${token.id}?tab=credentials`, `${own.path}/legacy?tab=credentials`]) {
    await page.turn(at);
    if (!has("tokens.view")) {
      await heading(page, "Your role does not include API tokens");
      continue;
    }
    await page.getByText("Account SID").first().waitFor();
    assert.equal((await page.getByRole("button", { name: /^Reveal Auth Token/ }).count()) > 0, has("secrets.reveal"));
    if (!has("secrets.reveal")) await page.getByText(/Showing it needs the permission “Reveal secrets”|An operator never opens a stored secret/).first().waitFor();
    assert.equal((await button(page, "Delete").count()) > 0, has("tokens.manage"));
  }

  await page.turn(`${own.path}/members`);
  if (has("members.manage") || has("tokens.view")) await page.getByText(member.email).first().waitFor();
  else await heading(page, "Your role does not include members");
  await heading(page, "Members");
  assert.equal(await button(page, "Invite a member").count(), has("members.manage") ? 1 : 0);
  assert.equal((await page.getByRole("button", { name: /^(Change role|Remove): / }).count()) > 0, has("members.manage"));

  await page.turn(`${own.path}/activity`);
  if (has("audit.view")) await page.getByRole("listitem").filter({ hasText: "Token created" }).first().waitFor();
  else {
    await heading(page, "Your role does not include the activity");
    await page.getByText("The permission “See activity” is missing.").waitFor();
  }
}

for (const [kind, roles] of Object.entries(ROLES)) {
  flow(`${kind}: every role sees what its permissions say, and is told what is missing`, async ({ account, page: open, note }) => {
    const own = await account(kind);
    const administrator = await own.member();
    const token = await administrator.token(own, "Seen or not");
    await administrator.asks("POST", `${own.path}/legacy-tokens`);
    const catalog = await administrator.asks("GET", "/catalog");
    const of = catalog.kinds.find((row) => row.id === kind).roles;
    assert.deepEqual(of.map((row) => row.id).sort(), Object.keys(roles).sort());
    for (const [role, may] of Object.entries(roles)) {
      assert.deepEqual([...of.find((row) => row.id === role).permissions].sort(), [...MAY[may]].sort(), role);
      const person = await own.member(role);
      const page = await open(person);
      page.expects(403);
      await checks(page, { own, token, kind, may: MAY[may], member: administrator });
      await page.goto("/operator/accounts");
      await heading(page, "For operators of the platform");
      // The server says the same of what the page does not offer.
      if (may === "none") assert.equal((await person.call("GET", `${own.path}/tokens`)).status, 403);
      await page.context().close();
    }
    note(`${Object.keys(roles).length} roles`);
  }, { long: 2 });
}

flow("an operator sees every account's pages, is told so, and opens no stored secret", async ({ account, operator, page: open }) => {
  const own = await account("agency");
  const administrator = await own.member();
  const token = await administrator.token(own, "Seen or not");
  await administrator.asks("POST", `${own.path}/legacy-tokens`);
  const page = await open(operator);
  await page.goto(own.tokens);
  await page.getByText(`You act with operator rights in ${own.name}`).waitFor();
  await checks(page, { own, token, kind: "agency", may: MAY.all.filter((one) => one !== "secrets.reveal"), member: administrator });
});

flow("somebody of another account sees nothing of this one", async ({ account, page: open }) => {
  const own = await account();
  const administrator = await own.member();
  const token = await administrator.token(own, "Not yours");
  const stranger = await (await account()).member();
  const page = await open(stranger);
  page.expects(404, 403);
  for (const at of [own.tokens, `${own.tokens}/${token.id}`, `${own.path}/legacy`, `${own.path}/members`, `${own.path}/activity`]) {
    await page.open(at);
    await page.getByText("There is nothing here that you may see. It may have been deleted.").first().waitFor();
    assert.ok(!(await page.content()).includes("Not yours"));
    assert.ok(!(await page.content()).includes(own.name));
  }
});

flow("a role that changes while one looks is told with the next click", async ({ account, page: open }) => {
  const own = await account();
  const administrator = await own.member();
  const person = await own.member("implementation_specialist");
  const page = await open(person);
  await page.goto(own.tokens);
  await page.getByRole("link", { name: "Create access token" }).first().click();
  await page.getByLabel("Token Name").fill("Too late");
  for (let turn = 0; turn < 3; turn += 1) await press(page, "Next");
  await administrator.asks("PATCH", `${own.path}/members/${person.id}`, { role: "analyst" });
  page.expects(403);
  await press(page, "Create");
  await page.getByText(/Your role does not include .*Manage tokens/).waitFor();
});

flow("a member with two accounts switches between them", async ({ account, operator, page: open }) => {
  const first = await account("brand", { name: "First of two" });
  const second = await account("agency", { name: "Second of two" });
  const person = await first.member();
  await operator.asks("POST", `${second.path}/invitations`, { email: person.email, role: "analyst" }).then(({ link }) => person.asks("POST", "/invitations/accept", { code: link.split("#")[1], password: person.password }));
  const page = await open(person);
  await page.goto(first.tokens);
  await page.getByRole("button", { name: /^Switch account: First of two/ }).click();
  await page.getByRole("menuitem", { name: /Second of two/ }).click();
  await page.waitForURL(`**${second.tokens}`);
  await heading(page, "Your role does not include API tokens");
  // The start page leads to the account one used last.
  await page.goto("/");
  await page.waitForURL(`**${second.tokens}`);
});
