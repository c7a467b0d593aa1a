// Serves console/dist as the real server does (nonce, strict policy, every other path is the page) and hands /api on.
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { randomBytes } from "node:crypto";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const management = new URL(process.env.COUNTERSIGN_MANAGEMENT ?? "http://127.0.0.1:8470");
const port = Number(process.env.PORT ?? 25173);
const kinds = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

createServer((ask, answer) => {
  const path = normalize(new URL(ask.url, "http://x").pathname);
  if (path.startsWith("/api/")) {
    const on = request({ host: management.hostname, port: management.port, path: ask.url, method: ask.method, headers: ask.headers }, (from) => {
      answer.writeHead(from.statusCode, from.headers);
      from.pipe(answer);
    });
    on.on("error", () => answer.writeHead(502).end());
    ask.pipe(on);
    return;
  }
  const file = join(dist, path);
  if (kinds[extname(path)] && existsSync(file)) {
    answer.writeHead(200, { "content-type": kinds[extname(path)], "cache-control": "public, max-age=31536000, immutable" });
    createReadStream(file).pipe(answer);
    return;
  }
  const nonce = randomBytes(16).toString("base64");
  const policy = `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`;
  answer.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy, "cache-control": "no-store" });
  answer.end(readFileSync(join(dist, "index.html"), "utf8").replaceAll("{{csp-nonce}}", nonce));
}).listen(port, "127.0.0.1");
