// Getting in: sign-in, the first operator of an installation, an invitation, and addresses that lead elsewhere.
import assert from "node:assert/strict";
import { newInstallation } from "../demonstration.mjs";
import { flow } from "../flow.mjs";
import { heading, press } from "../hands.mjs";

flow("a wrong password is explained, the right one leads to where one wanted to go", async ({ account, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const page = await open();
  await page.goto(`${brand.path}/members`);
  await page.waitForURL("**/sign-in?to=*");
  await page.getByLabel("E-mail address").fill(person.email);
  await page.getByRole("textbox", { name: "Password" }).fill("not the password");
  page.expects(401);
  await press(page, "Sign in");
  await page.getByText("E-mail address and password do not fit together").waitFor();
  await page.getByLabel("Password").fill(person.password);
  await press(page, "Sign in");
  await page.waitForURL(`**${brand.path}/members`);
  await page.getByText(person.email).first().waitFor();
});

flow("an invitation: the link lets a new member choose a password and leads to the account", async ({ account, operator, page: open }) => {
  const brand = await account();
  const email = "invited.in.the.browser@demo.example";
  const { link } = await operator.asks("POST", `${brand.path}/invitations`, { email, role: "account_administrator" });
  const page = await open();
  await page.goto(link);
  await page.getByLabel("Name").fill("Invited Person");
  await page.getByRole("textbox", { name: "Password" }).fill("short");
  page.expects(400, 422);
  await press(page, "Set password and sign in");
  await page.getByText(/15 characters/).last().waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill("a password of a new member");
  await press(page, "Set password and sign in");
  await page.waitForURL(`**${brand.tokens}`);
  await heading(page, "Give your first integration a token of its own");
  // The link worked once.
  const second = await open();
  second.expects(400, 401, 403, 404, 409, 410, 422);
  await second.goto(link);
  await second.getByLabel("Password").fill("another password of a member");
  await press(second, "Set password and sign in");
  await second.getByText("This code was used or is too old").waitFor();
});

flow("the first operator: set up with the code of the terminal, once", async ({ page: open }) => {
  const fresh = await newInstallation();
  try {
    const page = await open(undefined, { url: fresh.url });
    await page.goto("/");
    await page.getByRole("link", { name: "Make the first one" }).click();
    await page.getByLabel("Set-up code").fill("not the code");
    await page.getByLabel("Name").fill("First Operator");
    await page.getByLabel("E-mail address").fill("first@demo.example");
    await page.getByLabel("New password").fill("a password of the first operator");
    page.expects(400, 401, 403, 404, 409, 410, 422);
    await press(page, "Create operator and sign in");
    await page.getByRole("alert").or(page.locator(".err:visible")).first().waitFor();
    await page.getByLabel("Set-up code").fill(fresh.code);
    await press(page, "Create operator and sign in");
    await page.waitForURL("**/operator/accounts");
    await heading(page, "No accounts yet");
    const again = await open(undefined, { url: fresh.url });
    await again.goto("/bootstrap");
    await again.getByText("This installation has its first operator already.").waitFor();
  } finally {
    await fresh.end();
  }
});

flow("signing in never leads to another site, whatever the address says", async ({ account, demo, page: open }) => {
  const brand = await account();
  const person = await brand.member();
  const elsewhere = ["//off-origin.example/", "https://off-origin.example/", "/\\off-origin.example", "/\t/off-origin.example", "javascript:document.title='ran'", "data:text/html,ran", "/%2f%2foff-origin.example", "https:off-origin.example"];
  const page = await open();
  page.on("request", (request) => assert.ok(request.url().startsWith(demo.url) || request.url() === "about:blank", request.url()));
  for (const to of elsewhere) {
    await page.context().clearCookies();
    await page.open(`/sign-in?to=${encodeURIComponent(to)}`);
    await page.getByLabel("E-mail address").fill(person.email);
    await page.getByLabel("Password").fill(person.password);
    await press(page, "Sign in");
    // An address of the console, or none: there is no third thing.
    await page.getByRole("button", { name: /^User menu/ }).or(page.getByRole("heading", { name: "There is no such page" })).waitFor();
    assert.equal(new URL(page.url()).origin, demo.url, to);
    assert.notEqual(await page.title(), "ran");
  }
});
