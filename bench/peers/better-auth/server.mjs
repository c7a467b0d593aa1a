// A Node server that checks API keys with the better-auth API-key plugin; keys in SQLite (Node's own).
//   node server.mjs fill DATABASE LIST     makes a key for each line `SID SECRET` of a file
//   node server.mjs serve DATABASE PORT    204 for a good key in `Authorization: Bearer`, else 401
// The plugin's defaults hold: keys are hashed, and its rate limit is on, which writes a row on each check; only the
// number of requests it allows is raised, from 10 a day to one that is not met.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';

const [, , command, path, argument] = process.argv;
const database = new DatabaseSync(path);
database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -65536');

const options = {
    database,
    secret: 'only for a measurement on this machine',
    baseURL: 'http://127.0.0.1',
    logger: { disabled: true },
    telemetry: { enabled: false },
    plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 60_000, maxRequests: 1_000_000 } })],
};
const auth = betterAuth(options);

if (command === 'fill') {
    await fill(argument);
} else {
    createServer(answer).listen(Number(argument), '127.0.0.1');
}

async function answer(request, response) {
    const key = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    const { valid } = await auth.api.verifyApiKey({ body: { key } });
    response.writeHead(valid ? 204 : 401).end();
}

async function fill(list) {
    const { runMigrations } = await getMigrations(options);
    await runMigrations();
    const now = new Date().toISOString();
    const ends = new Date(Date.now() + 300 * 24 * 3600 * 1000).toISOString();
    const insert = database.prepare(
        `insert into apikey (id, configId, key, start, referenceId, enabled, rateLimitEnabled, rateLimitTimeWindow,
            rateLimitMax, requestCount, expiresAt, createdAt, updatedAt)
        values (?, 'default', ?, ?, ?, 1, 1, 60000, 1000000, 0, ?, ?, ?)`,
    );
    database.exec('begin');
    for await (const line of createInterface({ input: createReadStream(list) })) {
        const [sid, secret] = line.split(' ');
        const hash = createHash('sha256').update(secret).digest('base64url');
        insert.run(sid, hash, secret.slice(0, 6), sid, ends, now, now);
    }
    database.exec('commit; pragma wal_checkpoint(truncate)');
}
