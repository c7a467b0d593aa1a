// Another site in the same browser as somebody who is signed in: whatever it sends to any route that changes something,
// in any way a page can, changes nothing; it reads nothing; it cannot frame the console nor sign anybody in.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { flow } from "../flow.mjs";

const AT_ONCE = 6;
// What changes by itself.
const VOLATILE = ["seen_at", "last_used_at", "last_used_from", "expires_at", "failing_since"];
const OPERATIONS_LEAST = 45;
const METHODS = ["post", "put", "patch", "delete"];
/** Every operation that may change something, by the document of the API itself. */
async function operations(url) {
  const { paths } = await fetch(`${url}/api/v1/openapi.json`).then((answer) => answer.json());
  const found = Object.entries(paths).flatMap(([path, item]) => METHODS.filter((method) => method in item).map((method) => ({ method: method.toUpperCase(), path, id: item[method].operationId })));
  assert.ok(found.length >= OPERATIONS_LEAST, `${found.length} operations`);
  return found;
}

/** The other site: an empty page of its own origin. */
async function otherSite() {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>other site</title><body>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  // By address it is another site; by name the same site at another port, to which the browser does send the cookie.
  return { origins: { "another site": `http://127.0.0.1:${port}`, "another port of the same host": `http://localhost:${port}` }, end: () => new Promise((done) => server.close(done)) };
}

/** An account with one of everything a route can name, and what all of it is now. */
async function furnish({ account, demo, newOperator }) {
  const operator = await newOperator();
  const brand = await account();
  const person = await brand.member();
  const member = await brand.member("analyst");
  const token = await person.token(brand, "Victim");
  await person.asks("POST", `${brand.path}/legacy-tokens`);
  const { invitation } = await operator.asks("POST", `${brand.path}/invitations`, { email: "victim@demo.example", role: "analyst" });
  const gateway = await operator.asks("POST", "/gateways", { name: `victim-${Date.now() % 100_000}` });
  const credential = await operator.asks("POST", "/platform-credentials", { name: `victim-${Date.now() % 100_000}` });
  const [session] = await operator.all("/sessions");
  const hook = { url: `${demo.webhooks.url}/victim`, description: "", events: [] };
  const [own, platform] = [await operator.asks("POST", `${brand.path}/webhooks`, hook), await operator.asks("POST", "/webhooks", hook)];
  const announcement = await operator.asks("POST", "/announcements", { subject: "Victim", body: "Victim", kinds: [], versions: [] });
  const [delivery] = await operator.all(`${brand.path}/deliveries`);
  const ids = { account_id: brand.id, token_id: token.id, user_id: member.id, invitation_id: invitation.id, session_id: session.id, half: "read-write", name: gateway.name ?? gateway.gateway?.name, platform_credential_id: credential.id ?? credential.platform_credential?.id, sid: token.sid, announcement_id: announcement.id, delivery_id: delivery.id, webhook_id: own.webhook.id };
  const platformIds = { ...ids, webhook_id: platform.webhook.id };
  const sees = [`${brand.path}`, `${brand.path}/tokens`, `${brand.path}/tokens/${token.id}`, `${brand.path}/legacy-tokens`, `${brand.path}/members`, `${brand.path}/invitations`, `/accounts?search=${brand.external_id}`, `/people/${member.id}`, `/gateways/${ids.name}`, "/platform-credentials", "/sessions", "/profile", "/catalog/source", `${brand.path}/webhooks`, `/webhooks/${platform.webhook.id}`, `/announcements/${announcement.id}`];
  const state = async () => {
    const rows = {};
    for (const path of sees) rows[path] = (await operator.call("GET", path)).body;
    // Other flows make some of these at the same time.
    rows["/platform-credentials"] = rows["/platform-credentials"].items.filter((row) => row.id === ids.platform_credential_id || row.name === "evil");
    // What was done and not refused, in this account and by this person anywhere.
    const done = (await operator.all(`${brand.path}/audit`)).concat(await operator.all(`/audit?actor_id=${operator.id}`)).filter((row) => row.outcome === "done" && row.action !== "access.refused");
    return JSON.parse(JSON.stringify({ rows, done: done.map((row) => row.number) }), (key, value) => (VOLATILE.includes(key) ? undefined : value));
  };
  const filled = (path) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent((path.startsWith("/api/v1/webhooks") ? platformIds : ids)[name] ?? assert.fail(`no id for ${name} of ${path}`)));
  return { operator, brand, token, filled, state };
}

/** A body that the route would take from our own page: what an attacker would send. */
const bodyOf = ({ id }, { brand, operator }) =>
  JSON.stringify(
    {
      create_account: { name: "Evil", external_id: "evil", kind: "brand", api_access: true },
      create_token: { name: "Evil", primary_contact: operator.id },
      update_token: { name: "Evil" },
      patch_account: { name: "Evil" },
      patch_profile: { name: "Evil" },
      patch_member: { role: "account_administrator" },
      patch_person: { operator: true },
      create_invitation: { email: "evil@demo.example", role: "account_administrator" },
      invite_operator: { email: "evil@demo.example" },
      create_gateway: { name: "evil" },
      put_gateway_probe: { url: "https://evil.example", kind: null, checks: [] },
      create_platform_credential: { name: "evil" },
      reset_token: { confirm: true },
      reset_legacy_token: { confirm: true },
      disable_token: {},
      enable_token: { reset: true },
      duplicate_token: { name: "Evil" },
      switch_api_access: { enabled: false },
      create_session: { email: "evil@demo.example", password: "a password of an attacker" },
      accept_invitation: { code: "code", password: "a password of an attacker" },
      put_password: { current: operator.password, new: "a password of an attacker" },
      renew_session: { password: operator.password },
      create_webhook: { url: "https://evil.example/", description: "", events: [] },
      create_platform_webhook: { url: "https://evil.example/", description: "", events: [] },
      create_announcement: { subject: "Evil", body: "Evil", kinds: [], versions: [] },
    }[id] ?? { confirm: true, account: brand.id },
  );

/** Everything a page of another origin can send to one route. Runs in that page; gives what it could read of answers. */
async function attack([url, method, body]) {
  const read = [];
  const send = async (what, options, at = url) => {
    try {
      const answer = await fetch(at, options);
      if (answer.type !== "opaque") read.push(`${what}: ${answer.status}`);
    } catch {
      // Refused before it was sent, or unreadable: what it should be.
    }
  };
  const json = { "Content-Type": "application/json" };
  const override = `${url}${url.includes("?") ? "&" : "?"}_method=${method}&confirm=true`;
  for (const credentials of ["include", "omit"]) {
    await send("fetch json", { method, credentials, headers: json, body });
    await send("fetch plain", { method, credentials, mode: method === "POST" ? "no-cors" : "cors", headers: { "Content-Type": "text/plain" }, body });
    await send("fetch bare", { method, credentials, mode: method === "POST" ? "no-cors" : "cors" });
    await send("override header", { method: "POST", credentials, headers: { ...json, "X-HTTP-Method-Override": method }, body });
    await send("override query", { method: "POST", credentials, mode: "no-cors", body }, override);
  }
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    await send(`no-cors ${type}`, { method: "POST", credentials: "include", mode: "no-cors", headers: { "Content-Type": type }, body }, url);
  }
  navigator.sendBeacon(url, new Blob([body], { type: "text/plain" }));
  try {
    navigator.sendBeacon(url, new Blob([body], { type: "application/json" }));
  } catch {
    // Not sent at all by some browsers.
  }
  // A request without CORS that only reads, as an image, a link or a script makes it.
  await Promise.all(
    ["img", "script", "link", "iframe"].map(
      (tag) =>
        new Promise((done) => {
          const element = document.createElement(tag);
          element.onload = element.onerror = done;
          if (tag === "link") Object.assign(element, { rel: "stylesheet", href: override });
          else element.src = override;
          document.body.append(element);
          if (tag === "iframe") element.onload = element.onerror = () => (element.remove(), done());
        }),
    ),
  );
  // Forms of every encoding, into a frame of their own; a name with the body makes JSON of a plain form.
  for (const enctype of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
    await new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.name = crypto.randomUUID();
      document.body.append(frame);
      const form = Object.assign(document.createElement("form"), { method: "post", action: override, target: frame.name });
      form.enctype = enctype;
      const input = Object.assign(document.createElement("input"), { type: "hidden", name: `${body.slice(0, -1)},"pad":"`, value: '"}' });
      form.append(input);
      document.body.append(form);
      frame.onload = () => (frame.remove(), form.remove(), done());
      form.submit();
    });
  }
  return read;
}

flow("every route that changes something, by everything a page can send: all refused, nothing read, nothing changed", async (room) => {
  const { demo, page: open, note } = room;
  const site = await otherSite();
  try {
    const set = await furnish(room);
    const before = await set.state();
    const all = await operations(demo.url);
    let sent = 0;
    for (const [what, origin] of Object.entries(site.origins)) {
      const page = await open(set.operator);
      const answers = [];
      page.on("response", (answer) => answer.url().startsWith(demo.url) && answers.push(answer));
      await page.goto(origin);
      const one = async (operation) => {
        const read = await page.evaluate(attack, [`${demo.url}${set.filled(operation.path)}`, operation.method, bodyOf(operation, set)]);
        assert.deepEqual(read, [], `${operation.id} from ${what}`);
      };
      for (let first = 0; first < all.length; first += AT_ONCE) await Promise.all(all.slice(first, first + AT_ONCE).map(one));
      // None of it was taken, whatever the page could see of that.
      const taken = answers.filter((answer) => !["GET", "HEAD"].includes(answer.request().method()) && answer.status() < 400);
      assert.deepEqual(taken.map((answer) => `${answer.request().method()} ${answer.url()} ${answer.status()}`), [], what);
      const changing = answers.filter((answer) => !["GET", "HEAD"].includes(answer.request().method()));
      assert.ok(changing.length >= all.length, `${changing.length} requests were seen`);
      sent += answers.length;
      page.complaints.length = 0;
    }
    assert.deepEqual(await set.state(), before);
    note(`${all.length} routes, ${sent} requests from ${Object.keys(site.origins).length} origins`);
    // The same from our own page is taken: the refusals above were for where they came from.
    const own = await open(set.operator);
    await own.goto("/profile");
    const status = await own.evaluate(([at]) => fetch(at, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }).then((answer) => answer.status), [`/api/v1${set.brand.path}/tokens/${set.token.id}/disable`]);
    assert.equal(status, 200);
    assert.notDeepEqual(await set.state(), before);
  } finally {
    await site.end();
  }
}, { long: 6 });

flow("no preflight is answered with leave, on any route, for any method", async ({ demo, note }) => {
  let asked = 0;
  for (const { path } of await operations(demo.url)) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const origin of ["http://127.0.0.1:1", "http://localhost:1", "null", "https://off-origin.example"]) {
        const answer = await fetch(demo.url + path.replace(/[{}]/g, ""), { method: "OPTIONS", headers: { origin, "access-control-request-method": method, "access-control-request-headers": "content-type" } });
        const leave = [...answer.headers.keys()].filter((name) => name.startsWith("access-control-allow"));
        assert.deepEqual(leave, [], `${method} ${path}`);
        assert.ok(answer.status >= 400, `OPTIONS ${path}: ${answer.status}`);
        await answer.arrayBuffer();
        asked += 1;
      }
    }
  }
  note(`${asked} preflights`);
});

flow("another site cannot frame the console, nor read or steer a window of it", async (room) => {
  const { demo, page: open } = room;
  const site = await otherSite();
  try {
    const set = await furnish(room);
    for (const origin of Object.values(site.origins)) {
      const page = await open(set.operator);
      await page.goto(origin);
      for (const at of ["/", set.brand.tokens, `${set.brand.tokens}/${set.token.id}`, "/sign-in", "/operator/accounts", "/api/v1/session"]) {
        await page.evaluate((src) => new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = src;
          document.body.replaceChildren(frame);
        }), demo.url + at);
        const frame = await (await page.$("iframe")).contentFrame();
        assert.ok(frame.url().startsWith("chrome-error:"), `${at} is framed: ${frame.url()}`);
      }
      page.complaints.length = 0;
      const [popup] = await Promise.all([page.waitForEvent("popup"), page.evaluate((to) => void (globalThis.other = open(to)), `${demo.url}${set.brand.tokens}`)]);
      await popup.waitForLoadState();
      await popup.getByText("Victim").first().waitFor();
      const seen = await page.evaluate(() => {
        try {
          return globalThis.other.document.body.innerText;
        } catch (error) {
          return error.name;
        }
      });
      assert.ok(seen === "SecurityError" || seen === "TypeError", seen);
      await popup.close();
    }
  } finally {
    await site.end();
  }
});

flow("signing somebody in from another site does not work: they stay who they are", async (room) => {
  const { account, demo, page: open } = room;
  const site = await otherSite();
  try {
    const [victim, attacker] = [await (await account()).member(), await (await account()).member()];
    for (const origin of Object.values(site.origins)) {
      for (const person of [victim, undefined]) {
        const page = await open(person);
        await page.goto(origin);
        const body = JSON.stringify({ email: attacker.email, password: attacker.password });
        await page.evaluate(attack, [`${demo.url}/api/v1/session`, "POST", body]);
        // As a window of its own, where the browser sends most.
        await page.evaluate(([action, text]) => {
          const form = Object.assign(document.createElement("form"), { method: "post", action });
          form.enctype = "text/plain";
          form.append(Object.assign(document.createElement("input"), { name: `${text.slice(0, -1)},"pad":"`, value: '"}' }));
          document.body.append(form);
          form.submit();
        }, [`${demo.url}/api/v1/session`, body]);
        await page.waitForURL(`${demo.url}/**`);
        page.complaints.length = 0;
        page.expects(401);
        await page.goto(`${demo.url}/profile`);
        if (person) await page.getByText(victim.email).first().waitFor();
        else await page.waitForURL("**/sign-in*");
      }
    }
  } finally {
    await site.end();
  }
});

flow("links from another site open the console and change nothing", async (room) => {
  const { demo, page: open } = room;
  const site = await otherSite();
  try {
    const set = await furnish(room);
    const before = await set.state();
    const page = await open(set.operator);
    await page.goto(Object.values(site.origins)[0]);
    // A window of its own for each: our pages let go of the one that opened them, so none can be led further.
    for (const { path, method } of await operations(demo.url)) {
      const at = `${demo.url}${set.filled(path)}?_method=${method}&confirm=true`;
      const [popup] = await Promise.all([page.waitForEvent("popup"), page.evaluate((to) => void open(to), at)]);
      await popup.waitForLoadState();
      await popup.close();
    }
    page.complaints.length = 0;
    assert.deepEqual(await set.state(), before);
  } finally {
    await site.end();
  }
});
