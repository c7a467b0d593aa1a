// People of the platform without a browser: they ask the management API as the console does, with the cookies of their
// session, and make what a flow needs: accounts of its own, members, tokens, tokens of any age. It draws no page.
import assert from "node:assert/strict";

const PASSWORD = "a password for the console's tests";
const SESSION = "__Host-countersign";
const CSV = "account_external_id,kind,name,sid,secret,access,scopes,api_version,primary_contact,state,created_at";

/** A reading scope of each kind. */
export const SCOPE = { brand: "brand.actions.list", agency: "agency.reports.list", partner: "partner.catalogs.list" };

let made = 0;
/** A number no other fixture of this run has. */
const next = () => (made += 1);

const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;

/** Somebody signed in. */
class Person {
  constructor(url, email, password) {
    Object.assign(this, { url, email, password, cookies: new Map() });
  }

  /** Status, headers and body of an answer, whatever it is. */
  async call(method, path, body, headers = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const isText = typeof body === "string";
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { origin: this.url, ...(cookie ? { cookie } : {}), ...(body === undefined ? {} : { "content-type": isText ? "text/csv" : "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.cookies.set(name, value);
    }
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text.startsWith("{") ? JSON.parse(text) : text };
  }

  /** The body of an answer that must be a good one. */
  async asks(method, path, body, headers) {
    const answer = await this.call(method, path, body, headers);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Every row of a list. */
  async all(path) {
    const rows = [];
    for (let after = ""; after !== undefined; ) {
      const page = await this.asks("GET", `${path}${path.includes("?") ? "&" : "?"}limit=200${after ? `&after=${encodeURIComponent(after)}` : ""}`);
      rows.push(...page.items);
      after = page.next ?? undefined;
    }
    return rows;
  }

  /** The state of a browser this person is signed in with. */
  get state() {
    const cookies = [...this.cookies].map(([name, value]) => ({ name, value, domain: new URL(this.url).hostname, path: "/", expires: -1, httpOnly: true, secure: true, sameSite: "Lax" }));
    return { cookies, origins: [] };
  }

  /** Makes a token as the console would; gives what is shown once. */
  async token(account, name, more = {}) {
    const wanted = { name, primary_contact: this.id, scopes: [SCOPE[account.kind]], ...more };
    const { token, secret } = await this.asks("POST", `${account.path}/tokens`, wanted, { "idempotency-key": crypto.randomUUID() });
    return { id: token.id, name, edit: token.edit, sid: token.sid, secret };
  }

  /** Changes a token, as a colleague does meanwhile. */
  changes(account, token, change) {
    return this.asks("PATCH", `${account.path}/tokens/${token.id}`, change, { "if-match": `"${token.edit}"` });
  }
}

/** Signs in somebody who has a password; `agent` is what the browser calls itself. */
export async function signIn(url, email, password, agent) {
  const person = new Person(url, email, password);
  const session = await person.asks("POST", "/session", { email, password }, agent === undefined ? {} : { "user-agent": agent });
  assert.ok(person.cookies.has(SESSION));
  return Object.assign(person, { id: session.person.id, name: session.person.name });
}

/** Makes the first operator of an installation. */
export async function firstOperator(url, code, name = "First Operator") {
  const person = new Person(url, "first.operator@demo.example", PASSWORD);
  const session = await person.asks("POST", "/bootstrap", { code, name, email: person.email, password: PASSWORD });
  return Object.assign(person, { id: session.person.id, name });
}

/** What an operator makes for a flow. */
export function platform(url, operator) {
  /** Follows an invitation's link: a person with a session. */
  const accept = async (link, email, { name, language }) => {
    const person = new Person(url, email, PASSWORD);
    const session = await person.asks("POST", "/invitations/accept", { code: link.split("#")[1], name, password: PASSWORD, language });
    return Object.assign(person, { id: session.person.id, name });
  };
  return {
    /** An account nobody belongs to yet. */
    async account(kind = "brand", { name = `Account ${next()}`, external_id = `fixture-${next()}`, api_access = true } = {}) {
      const { account } = await operator.asks("POST", "/accounts", { name, external_id, kind, api_access });
      const path = `/accounts/${account.id}`;
      return {
        ...{ id: account.id, kind, name, external_id, path, tokens: `${path}/tokens` },
        /** Somebody new with this role. */
        async member(role = "account_administrator", { name: called = `Person ${next()}`, email = `person.${next()}@demo.example`, language = "en" } = {}) {
          const { link } = await operator.asks("POST", `${path}/invitations`, { email, role });
          return accept(link, email, { name: called, language });
        },
        /** Tokens of any age: `rows` of name, state, days since they were made, version. All or none. */
        async import(contact, rows) {
          const lines = rows.map((row) => {
            const created = new Date(Date.now() - (row.days ?? 0) * 86_400_000).toISOString();
            const sid = `Imported${next()}`;
            return [external_id, kind, row.name, sid, `${sid}-${crypto.randomUUID()}`, "scoped", SCOPE[kind], row.version ?? 14, contact.email, row.state ?? "enabled", created].map(quoted).join(",");
          });
          const report = await operator.asks("POST", "/import?apply=true", [CSV, ...lines].join("\n"));
          assert.equal(report.applied, true, JSON.stringify(report.report.slice(0, 3)));
        },
      };
    },
    /** Somebody new with operator rights. */
    async newOperator(name = `Operator ${next()}`) {
      const email = `operator.${next()}@demo.example`;
      const { link } = await operator.asks("POST", "/people", { email });
      return accept(link, email, { name, language: "en" });
    },
  };
}
