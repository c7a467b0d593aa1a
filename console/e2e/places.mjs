// Every page of the console in every state worth looking at, as places one can go to: for the checks that hold
// everywhere. The router's own list of paths is compared with it, so that a new page cannot be left out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { button, dialog } from "./hands.mjs";

// Names and texts as long as they may be, without a place to break.
const LONG = { en: "W".repeat(100), "zh-CN": "超长名称的令牌".repeat(14).slice(0, 98) };
const MAIL = (name) => `${name}.${"very-long-address".repeat(2)}@${"subdomain-".repeat(5)}x.example`;

/** What the places need: accounts with long names, in every state. */
export async function furnish({ account, demo, operator, newOperator }, language) {
  const long = LONG[language];
  const name = (front) => `${front}${long}`.slice(0, 100);
  const brand = await account("brand", { name: name("品牌 "), external_id: `long-${"x".repeat(80)}-${language}` });
  const person = await brand.member("account_administrator", { name: name("Ä "), email: MAIL(`administrator.${language.toLowerCase()}`) });
  const analyst = await brand.member("analyst", { name: name("N "), email: MAIL(`analyst.${language.toLowerCase()}`) });
  const emails = Array.from({ length: 8 }, (_, index) => MAIL(`developer${index}`));
  const token = await person.token(brand, name("a"), { description: long.repeat(5).slice(0, 500), developer_emails: emails, api_version: 12, scopes: ["brand.actions.list", "brand.ads.list"], addresses: ["2001:db8:1234:5678:9abc:def0:1234:0/124"] });
  const off = await person.token(brand, name("b"));
  await person.asks("POST", `${brand.path}/tokens/${off.id}/disable`, {});
  const soon = await person.token(brand, name("c"), { expires_at: new Date(Date.now() + 5 * 86_400_000).toISOString() });
  const reset = await person.token(brand, name("d"));
  await person.asks("POST", `${brand.path}/tokens/${reset.id}/reset`, { confirm: true, overlap: "24h" }, { "idempotency-key": crypto.randomUUID() });
  assert.equal(await demo.ask(soon.sid, soon.secret), 200);
  await person.asks("POST", `${brand.path}/legacy-tokens`);
  await person.asks("POST", `${brand.path}/invitations`, { email: MAIL("invited"), role: "analyst" });
  const agency = await account("agency", { name: name("机构 ") });
  const bare = await agency.member();
  const closed = await account("partner", { name: name("伙伴 "), api_access: false });
  const outside = await closed.member();
  await operator.asks("POST", "/gateways", { name: `${"g".repeat(33)}-${language.toLowerCase()}`, peers: ["2001:db8:1234:5678:9abc:def0:1234:0/124", "192.0.2.0/24"] });
  await operator.asks("POST", "/platform-credentials", { name: `${"p".repeat(33)}-${language.toLowerCase()}` });
  const url = `${demo.webhooks.url}/${"hook-".repeat(40)}${language}`;
  await person.asks("POST", `${brand.path}/webhooks`, { url, description: long, events: [] });
  await operator.asks("POST", "/webhooks", { url, description: long, events: ["token.reset", "token.deleted"] });
  const announcement = await operator.asks("POST", "/announcements", { subject: long, body: long.repeat(20), subject_zh: long, body_zh: long, kinds: ["brand"], versions: [12], link: `https://notes.example/${"x".repeat(150)}` });
  return { brand, person, analyst, agency, bare, closed, outside, token, announcement, url, operator: await newOperator(name("O ")) };
}

/** The places of one group: `who` goes to `at` and then does `then`. Order matters only inside one place. */
export function places(set, t) {
  const { brand, person, analyst, agency, bare, closed, outside, token, announcement, url, operator } = set;
  /** `refusals`: the statuses that are to be seen there. */
  const page = (name, who, at, shows, then, refusals = []) => ({ name, who, at, shows, then, refusals });
  const more = (of) => (view) => view.getByRole("button", { name: t("more", { name: of }), exact: true }).click();
  const deed = (key) => async (view) => {
    await more(token.name)(view);
    await view.getByRole("menuitem", { name: new RegExp(`^${t(key)}`) }).first().click();
    await dialog(view).waitFor();
  };
  const legacyDeed = (key) => async (view) => {
    await more(t("legacy"))(view);
    await view.getByRole("menuitem", { name: t(key), exact: true }).click();
    await dialog(view).waitFor();
  };
  const press = (key, values) => async (view) => view.getByRole("button", { name: t(key, values), exact: true }).first().click();
  const opens = (key, values) => async (view) => {
    await press(key, values)(view);
    await dialog(view).waitFor();
  };
  const steps = (count) => async (view) => {
    await view.getByRole("textbox", { name: t("tokenName") }).fill(LONG.en);
    for (let step = 0; step < count; step += 1) await button(view, t("next")).click();
    await view.getByRole("heading", { level: 1, name: t(`wizard.${["setup", "contact", "scopes", "create"][count]}`) }).waitFor();
  };
  const list = [brand.tokens, () => "article"];
  const own = (tab) => `${brand.tokens}/${token.id}${tab ? `?tab=${tab}` : ""}`;
  return {
    doors: [
      page("sign-in", null, "/sign-in", t("signIn.lead")),
      page("sign-in, refused", null, "/sign-in", t("signIn.lead"), async (view) => {
        view.expects(401);
        await view.getByRole("textbox", { name: t("email") }).fill("nobody@demo.example");
        await view.getByLabel(t("password")).fill("not the password");
        await press("signIn")(view);
        await view.getByText(t("error.sign_in_refused")).waitFor();
      }),
      page("invitation, by link", null, "/invitation#a-code", t("invitation.lead")),
      page("invitation, by hand", null, "/invitation", t("invitation.lead")),
      page("set-up, closed", null, "/bootstrap", t("bootstrap.closed")),
      page("no such page", person, "/nowhere", t("missing")),
      page("profile", person, "/profile", t("sessions")),
      page("profile, refused", person, "/profile", t("sessions"), async (view) => {
        view.expects(400, 401, 403, 422);
        await view.getByLabel(t("password.current")).fill("not the password");
        await view.getByLabel(t("password.new")).fill("another long password");
        await press("password.change")(view);
        await view.locator(".err:visible, [role=alert]").first().waitFor();
      }),
      page("operator pages, not for members", person, "/operator/accounts", t("operator.no")),
    ],
    list: [
      page("tokens", person, ...list),
      page("tokens, nothing matches", person, `${brand.tokens}?q=${LONG.en.slice(0, 90)}nothing&state=disabled`, t("noMatch")),
      page("tokens, none yet", bare, agency.tokens, t("welcome")),
      page("tokens, not for this role", analyst, brand.tokens, t("noView")),
      page("tokens, access off", outside, closed.tokens, t("access.off")),
      page("tokens, created open", person, ...list, async (view) => {
        await view.getByRole("button", { name: new RegExp(`${t("filter.created")}$`) }).click();
        await view.getByRole("listbox").waitFor();
      }),
      page("card menu", person, ...list, more(token.name)),
      page("legacy menu", person, ...list, more(t("legacy"))),
      ...["duplicate", "reset", "upgrade", "disable", "delete"].map((key) => page(`${key} a token`, person, ...list, deed(key))),
      ...["reset.readWrite", "reset.readOnly", "duplicate", "disable", "delete"].map((key) => page(`legacy: ${key}`, person, ...list, legacyDeed(key))),
      page("enable legacy tokens", bare, agency.tokens, t("welcome"), opens("legacy.enable")),
      page("user menu", person, ...list, (view) => view.getByRole("button", { name: new RegExp(`^${t("user", { name: "" }).trim()}`) }).click()),
      page("language menu", person, ...list, (view) => view.locator("header.top").getByRole("button", { name: new RegExp(t("language")) }).click()),
      page("account switcher", person, ...list, (view) => view.locator("header.top").getByRole("button", { name: new RegExp(`^${t("switch", { name: "" }).trim()}`) }).click()),
      page("offline", person, ...list, async (view) => {
        view.expectsOffline();
        await view.context().setOffline(true);
        await view.getByText(t("offline")).waitFor();
      }),
    ],
    wizard: [
      ...[0, 1, 2, 3].map((count) => page(`wizard, step ${count + 1}`, person, `${brand.tokens}/new`, t("wizard.setup"), steps(count))),
      page("wizard, name missing", person, `${brand.tokens}/new`, t("wizard.setup"), async (view) => {
        await press("next")(view);
        await view.getByText(t("required.name")).waitFor();
      }),
      page("wizard, every scope", person, `${brand.tokens}/new`, t("wizard.setup"), async (view) => {
        await steps(2)(view);
        await view.getByRole("group", { name: t("scopes.presets") }).getByRole("button").last().click();
      }),
      page("wizard, leaving", person, `${brand.tokens}/new`, t("wizard.setup"), async (view) => {
        await steps(0)(view);
        await view.getByRole("link", { name: "Countersign", exact: true }).click();
        await view.getByRole("heading", { name: t("leave") }).waitFor();
      }),
      page("wizard, made", person, `${brand.tokens}/new`, t("wizard.setup"), async (view) => {
        await view.getByRole("textbox", { name: t("tokenName") }).fill(`${LONG.en.slice(0, 80)} ${crypto.randomUUID().slice(0, 8)}`);
        for (let step = 0; step < 3; step += 1) await button(view, t("next")).click();
        await button(view, t("create.do")).click();
        await view.getByRole("heading", { name: t("wizard.made") }).waitFor();
      }),
      page("wizard, not for this role", analyst, `${brand.tokens}/new`, t("noView")),
    ],
    token: [
      page("overview", person, own(), t("limits")),
      page("credentials", person, own("credentials"), t("resetToken.what")),
      page("credentials, revealed", person, own("credentials"), t("resetToken.what"), async (view) => {
        await press("secret.reveal.label", { what: t("authToken") })(view);
        await button(view, t("secret.hide.label", { what: t("authToken") })).waitFor();
      }),
      page("scopes", person, own("scopes"), t("scopes.presets")),
      page("scopes, none matches", person, own("scopes"), t("scopes.presets"), async (view) => {
        await view.getByRole("searchbox", { name: t("scopes.search") }).fill("nothing");
        await view.getByRole("heading", { name: t("scopes.noMatch") }).waitFor();
      }),
      page("activity of a token", person, own("activity"), t("action.token.create")),
      page("no such token", person, `${brand.tokens}/tok_00000000000000000000000000`, t("error.not_found"), undefined, [404]),
      page("update", person, own(), t("limits"), async (view) => {
        await view.getByRole("textbox", { name: t("description") }).fill(LONG.en.repeat(2));
        await view.getByRole("textbox", { name: t("addresses") }).fill("2001:db8:1234:5678:9abc:def0:1234:0/124");
        await opens("update")(view);
      }),
      page("somebody else changed it", person, own(), t("limits"), async (view) => {
        await view.getByRole("textbox", { name: t("description") }).fill("mine");
        const now = await person.asks("GET", `${brand.path}/tokens/${token.id}`);
        await person.changes(brand, { ...token, edit: now.edit }, { description: `${LONG.en} ${crypto.randomUUID()}` });
        view.expects(412);
        await opens("update")(view);
        await dialog(view).getByRole("button", { name: t("update"), exact: true }).click();
        await view.getByRole("heading", { name: t("stale") }).waitFor();
      }),
      page("legacy overview", person, `${brand.path}/legacy`, t("legacy.what")),
      page("legacy credentials", person, `${brand.path}/legacy?tab=credentials`, t("legacy.readWrite")),
      page("legacy, off", bare, `${agency.path}/legacy`, t("legacy.off")),
    ],
    people: [
      page("members", person, `${brand.path}/members`, t("invitations")),
      page("members, not for this role", analyst, `${brand.path}/members`, t("members.no")),
      page("invite", person, `${brand.path}/members`, t("invitations"), opens("invite")),
      page("invited", person, `${brand.path}/members`, t("invitations"), async (view) => {
        await opens("invite")(view);
        await dialog(view).getByRole("textbox", { name: t("email") }).fill(MAIL(crypto.randomUUID().slice(0, 6)));
        await press("invite.do")(view);
        await button(view, t("link.kept")).waitFor();
      }),
      page("change a role", person, `${brand.path}/members`, t("invitations"), opens("role.change.label", { name: analyst.name })),
      page("remove a member", person, `${brand.path}/members`, t("invitations"), opens("remove.label", { name: analyst.name })),
      page("remove a contact", operator, `${brand.path}/members`, t("invitations"), async (view) => {
        await opens("remove.label", { name: person.name })(view);
        view.expects(409, 422);
        await button(view, t("remove.do")).click();
        await dialog(view).locator(".banner").first().waitFor();
      }),
      page("activity", person, `${brand.path}/activity`, t("activity.lead")),
      page("activity, an entry", person, `${brand.path}/activity`, t("activity.lead"), async (view) => {
        await view.locator("ol.trail button").first().click();
        await view.getByText(t("activity.request")).first().waitFor();
      }),
      page("activity, nothing", person, `${brand.path}/activity?action=token.delete`, t("activity.none")),
      page("activity, not for this role", analyst, `${brand.path}/activity`, t("activity.no")),
    ],
    telling: [
      page("messages", person, `${brand.path}/messages`, () => "ol.deliveries > li"),
      page("messages, one of them", person, `${brand.path}/messages`, () => "ol.deliveries > li", async (view) => {
        await view.locator("ol.deliveries button.opener").first().click();
        await view.getByText(t("delivery.posted")).first().waitFor();
      }),
      page("messages, nothing matches", person, `${brand.path}/messages?state=dead&event=announcement`, t("noMatch")),
      page("messages, none yet", bare, `${agency.path}/messages?channel=webhook`, t("noMatch")),
      page("messages, not for this role", analyst, `${brand.path}/messages`, t("messages.no")),
      page("webhooks", person, `${brand.path}/webhooks`, url),
      page("webhooks, none yet", bare, `${agency.path}/webhooks`, t("webhook.none")),
      page("webhooks, not for this role", analyst, `${brand.path}/webhooks`, t("settings.no")),
      page("add a webhook", person, `${brand.path}/webhooks`, url, opens("webhook.create")),
      ...["edit", "webhook.rotate", "disable", "delete", "webhook.log"].map((key) => page(`webhook: ${key}`, person, `${brand.path}/webhooks`, url, opens("pair", { name: t(key), value: url }))),
      page("settings", person, `${brand.path}/settings`, t("settings.lead")),
      page("settings, asked first", person, `${brand.path}/settings`, t("settings.lead"), async (view) => {
        await view.getByRole("spinbutton", { name: t("settings.life.days") }).or(view.getByRole("textbox", { name: t("settings.life.days") })).first().fill("1");
        await opens("update")(view);
      }),
      page("settings, access off", person, `${brand.path}/settings`, t("settings.lead"), opens("settings.access.off")),
      page("settings, not for this role", analyst, `${brand.path}/settings`, t("settings.no")),
      page("confirm an address", null, "/confirm#a-code", t("confirm.lead")),
      page("confirm without a code", null, "/confirm", t("confirm.code.missing")),
      page("unsubscribe", null, "/unsubscribe#a-code", t("unsubscribe.lead")),
      page("unsubscribe, refused", null, "/unsubscribe#a-code", t("unsubscribe.lead"), async (view) => {
        await press("unsubscribe.do")(view);
        await view.getByRole("alert").first().waitFor();
      }, [400, 401, 403, 404, 409, 410, 422]),
    ],
    platform: [
      page("versions", operator, "/operator/versions?kind=brand&number=12", t("versions.on", { kind: t("settings.life.days") === "Days" ? "Brand" : "品牌", version: 12 })),
      page("announcements", operator, "/operator/announcements", () => "ul.rows > li"),
      page("write an announcement", operator, "/operator/announcements/new", t("announcement.lead")),
      page("an announcement", operator, `/operator/announcements/${announcement.id}`, t("announcement.audience")),
      page("send an announcement", operator, `/operator/announcements/${announcement.id}`, t("announcement.audience"), opens("announcement.send")),
      page("delete an announcement", operator, `/operator/announcements/${announcement.id}`, t("announcement.audience"), opens("delete")),
      page("outbox", operator, "/operator/outbox", () => "ol.deliveries > li"),
      page("platform webhooks", operator, "/operator/webhooks", url),
      page("keys", operator, "/operator/keys", t("keys.files")),
      page("rotate a key", operator, "/operator/keys", t("keys.files"), opens("keys.rotate.label", { name: t("keys.pepper") })),
      page("add a platform webhook", operator, "/operator/webhooks", url, opens("webhook.create")),
    ],
    operator: [
      page("accounts", operator, `/operator/accounts?q=${encodeURIComponent(brand.external_id)}`, t("operator.accounts.lead"), (view) => view.locator("ul.rows > li").first().waitFor()),
      page("accounts, nothing matches", operator, "/operator/accounts?q=nothing is called so", t("noMatch")),
      page("accounts, no such SID", operator, "/operator/accounts?q=nothing-is-called-so", () => ".empty", undefined, [404]),
      page("create an account", operator, "/operator/accounts", t("operator.accounts.lead"), opens("account.create")),
      page("edit an account", operator, `/operator/accounts?q=${encodeURIComponent(brand.external_id)}`, t("operator.accounts.lead"), opens("edit.label", { what: brand.name })),
      page("an account as its operator", operator, brand.tokens, t("operator.acting", { name: brand.name })),
      page("people", operator, `/operator/people?q=${encodeURIComponent(person.email.slice(0, 40))}`, t("operator.people.lead"), (view) => view.locator("ul.rows > li").first().waitFor()),
      page("invite an operator", operator, "/operator/people", t("operator.people.lead"), opens("people.invite")),
      page("deactivate somebody", operator, `/operator/people?q=${encodeURIComponent(person.email.slice(0, 40))}`, t("operator.people.lead"), opens("people.stop.label", { name: person.email })),
      page("catalog", operator, "/operator/catalog", t("catalog.file")),
      page("catalog, refused", operator, "/operator/catalog", t("catalog.file"), async (view) => {
        view.expects(400, 422);
        await view.getByRole("textbox", { name: t("catalog.source") }).fill(`version_header = "${LONG.en}\n[[kind]]`);
        await press("catalog.preview")(view);
        await view.getByRole("alert").first().waitFor();
      }),
      page("catalog, what would change", operator, "/operator/catalog", t("catalog.file"), async (view) => {
        const field = view.getByRole("textbox", { name: t("catalog.source") });
        await view.waitForFunction(() => document.querySelector("textarea")?.value.includes("[[kind]]"));
        await field.fill((await field.inputValue()).replace('label = { en = "Brand"', `label = { en = "${LONG.en}"`));
        await press("catalog.preview")(view);
        await view.getByRole("heading", { name: t("catalog.changes", { count: 1 }) }).waitFor();
      }),
      page("gateways", operator, "/operator/gateways", t("gateways.lead"), (view) => view.locator("ul.rows > li").first().waitFor()),
      page("create a gateway", operator, "/operator/gateways", t("gateways.lead"), opens("gateway.create")),
      page("platform credentials", operator, "/operator/platform-credentials", t("credentials.lead"), (view) => view.locator("ul.rows > li").first().waitFor()),
      page("create a platform credential", operator, "/operator/platform-credentials", t("credentials.lead"), opens("credential.create")),
      page("audit trail", operator, "/operator/audit", t("operator.audit.lead"), (view) => view.locator("ol.trail > li").first().waitFor()),
      page("audit trail, verified", operator, "/operator/audit", t("operator.audit.lead"), async (view) => {
        await press("audit.verify")(view);
        await view.locator(".banner").first().waitFor();
      }),
    ],
  };
}

/** Goes to a place and waits until it shows what it should. */
export async function visit(view, place) {
  await view.context().setOffline(false);
  view.expects(...place.refusals);
  await view.open(place.at);
  const shows = typeof place.shows === "function" ? view.locator(place.shows()) : view.getByText(place.shows).or(view.getByRole("heading", { name: place.shows }));
  await shows.first().waitFor();
  await place.then?.(view);
}

/** The paths of the router; each must be that of a place. */
export function routes() {
  const source = readFileSync(new URL("../src/router.tsx", import.meta.url), "utf8");
  return [...source.matchAll(/path: "([^"]+)"/g)].map((found) => found[1].split("/").at(-1)).filter((last) => last !== "" && !last.startsWith("$") && last !== "operator");
}
