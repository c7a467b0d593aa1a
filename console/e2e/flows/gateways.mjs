// The operator's page of gateways: one that was never probed says what to run, one that was shows what was found.
import assert from "node:assert/strict";
import { flow } from "../flow.mjs";

const REPORT = {
  url: "http://127.0.0.1:8080",
  kind: "nginx",
  checks: [
    { check: "credentials", verdict: "shut", requests: 60, found: 0, findings: [], directive: null },
    {
      check: "identity_headers",
      verdict: "found",
      requests: 144,
      found: 2,
      findings: [{ sent: "GET /a [a good credential] X_Countersign_Sid: <b>spoofed</b>", happened: "back end: x_countersign_sid: <b>spoofed</b>" }],
      directive: "underscores_in_headers off;",
    },
    { check: "outage", verdict: "not_checked", requests: 0, found: 0, findings: [], directive: null },
  ],
};

flow("gateways: one that was never probed says what to run, and then shows what was found", async ({ operator, page: open }) => {
  const name = `probed-${Date.now() % 1_000_000}`;
  await operator.asks("POST", "/gateways", { name });
  const page = await open(operator);
  await page.goto("/operator/gateways");
  const row = page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
  await row.getByText("This gateway was never probed").waitFor();
  await row.getByText(`--gateway ${name}`).first().waitFor();
  await operator.asks("PUT", `/gateways/${name}/probe`, REPORT);
  await page.reload();
  const opener = page.getByRole("button", { name: `Last probe: ${name}` });
  await opener.getByText("1 thing to mend").waitFor();
  await opener.getByText("1 not checked").waitFor();
  assert.equal(await page.getByText("underscores_in_headers off;").count(), 0, "closed until asked");
  await opener.click();
  const found = page.getByRole("list", { name: "Last probe" }).getByRole("listitem").first();
  await found.getByText("Clients that say who they are").waitFor();
  await found.getByText("underscores_in_headers off;").waitFor();
  await found.getByText("back end: x_countersign_sid: <b>spoofed</b>").waitFor();
  // All of it shut: nothing is to be mended any more.
  const shut = { ...REPORT, checks: REPORT.checks.map((row) => ({ ...row, verdict: "shut", found: 0, findings: [], directive: null })) };
  await operator.asks("PUT", `/gateways/${name}/probe`, shut);
  await page.reload();
  await opener.getByText("Shut").waitFor();
});

flow("gateways: made with an audience for assertions, and edited", async ({ operator, page: open }) => {
  const name = `edited-${Date.now() % 1_000_000}`;
  const page = await open(operator);
  await page.goto("/operator/gateways");
  await page.getByRole("button", { name: "Create gateway" }).first().click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Signed assertions for").fill("orders");
  await form.getByRole("button", { name: "Create gateway" }).click();
  await page.getByRole("button", { name: "I have copied them" }).click();
  const row = page.getByRole("listitem").filter({ has: page.getByText(name, { exact: true }) });
  await row.getByText("assertions for orders").waitFor();
  await page.getByRole("button", { name: `Edit: ${name}` }).click();
  assert.equal(await form.getByLabel("Signed assertions for").inputValue(), "orders");
  await form.getByLabel("Peer networks").fill("10.1.0.0/16");
  page.expects(422);
  await form.getByLabel("Signed assertions for").fill("two words");
  await form.getByRole("button", { name: "Save gateway" }).click();
  await form.getByRole("alert").waitFor();
  await form.getByLabel("Signed assertions for").fill("");
  await form.getByRole("button", { name: "Save gateway" }).click();
  await row.getByText("10.1.0.0/16").waitFor();
  assert.equal(await row.getByText("assertions for").count(), 0, "it gets none any more");
  const now = await operator.asks("GET", `/gateways/${name}`);
  assert.deepEqual([now.peers, now.assertion_audience], [["10.1.0.0/16"], null]);
});
