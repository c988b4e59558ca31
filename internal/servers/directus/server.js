// A Directus on SQLite. LIFE is the life of access tokens and of session cookies in seconds, DATA the folder of the
// database.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

// Variables that begin so are settings of Directus', whoever has set them: with REDIS_ADDR, of other tests, it wants a Redis.
for (const name in process.env) if (name.startsWith("REDIS")) delete process.env[name];

const life = `${process.env.LIFE}s`;
const password = "analytical engine";
Object.assign(process.env, {
  DB_CLIENT: "sqlite3",
  DB_FILENAME: path.join(process.env.DATA, "directus.sqlite"),
  SECRET: "signs the access tokens of these tests",
  ADMIN_EMAIL: "ada@example.com",
  ADMIN_PASSWORD: password,
  ACCESS_TOKEN_TTL: life,
  SESSION_COOKIE_TTL: life,
  PUBLIC_URL: "http://127.0.0.1",
  EXTENSIONS_PATH: process.env.DATA,
  STORAGE_LOCAL_ROOT: process.env.DATA,
  SERVE_APP: "false",
  TELEMETRY: "false",
  MARKETPLACE_TRUST: "none",
  LOG_LEVEL: "warn",
});
process.stdin.on("end", () => process.exit()).resume();

const cli = createRequire(import.meta.url).resolve("@directus/api/cli/run.js");
execFileSync(process.execPath, [cli, "bootstrap"], { stdio: ["ignore", "ignore", "inherit"] });

const { createApp } = await import("@directus/api");
const { default: getDatabase } = await import("@directus/api/database/index");
const { getSchema } = await import("@directus/api/utils/get-schema");
const { UsersService } = await import("@directus/api/services/users");

const app = await createApp();
const database = getDatabase();
const { role } = await database("directus_users").first("role");
const users = new UsersService({ schema: await getSchema() });
await users.createMany(["grace", "barbara"].map((name) => ({ email: `${name}@example.com`, password, role })));

async function revoke(name) {
  const { id } = await database("directus_users").first("id").where({ email: `${name}@example.com` });
  await database("directus_sessions").delete().where({ user: id });
}

const server = createServer((req, res) => {
  const url = new URL(req.url, "http://127.0.0.1");
  if (url.pathname !== "/test/revoke") return app(req, res);
  revoke(url.searchParams.get("user")).then(() => res.writeHead(204).end(), (err) => res.writeHead(500).end(String(err)));
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
