// Checks X-Countersign-Assertion in Node, with `npm install jose`. A back end calls `check` for every request, before
// anything else, and refuses the request with 401 where it throws.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createLocalJWKSet, jwtVerify } from "jose";

const issuer = process.env.ISSUER; // the public URL of Countersign
const audience = process.env.AUDIENCE; // what the gateway was created with: --assertion-audience
// In a back end: createRemoteJWKSet(new URL("https://…/.well-known/jwks.json")), which fetches and refreshes it.
const keys = createLocalJWKSet(JSON.parse(readFileSync(process.env.KEY_SET, "utf8")));

export async function check(assertion, { method, target, host }) {
  const { payload, protectedHeader } = await jwtVerify(assertion, keys, {
    algorithms: ["EdDSA"],
    typ: "countersign-assertion+jwt",
    issuer,
    audience,
    clockTolerance: 5,
    maxTokenAge: 30,
    requiredClaims: ["sub", "jti", "exp", "method", "path_sha256"],
  });
  if (!protectedHeader.kid) throw new Error("it does not say which key signed it");
  if (payload.exp - payload.iat > 30) throw new Error("it holds for longer than assertions do");
  const hash = createHash("sha256").update(target).digest("base64url");
  if (payload.method !== method || payload.path_sha256 !== hash) throw new Error("it is about another request");
  if (payload.host !== "" && payload.host !== host) throw new Error("it is about another host");
  return payload;
}

// One request a line: {"assertion": …, "method": …, "target": …, "host": …}.
for await (const line of createInterface({ input: process.stdin })) {
  const { assertion, ...request } = JSON.parse(line);
  try {
    console.log("believed", (await check(assertion, request)).sub);
  } catch (problem) {
    console.log("refused", String(problem.message).replaceAll("\n", " "));
  }
}
