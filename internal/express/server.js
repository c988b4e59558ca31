// Starts the server. Everything is set by the environment:
//
//   PORT                  3001; 0 picks a free one
//   ACCESS_TTL            life of an access token in seconds, 900
//   REFRESH_TTL           life of a refresh token in seconds, 7 days
//   ACCESS_TOKEN_SECRET   signs access tokens; random unless set
//   REFRESH_TOKEN_SECRET  signs refresh tokens; random unless set
//   REFRESH_LIMIT         refreshes allowed in a window, 100
//   REFRESH_WINDOW        length of that window in seconds, 60
//   NODE_ENV              "production" makes the cookie Secure
//
// The first line on standard output is JSON: {"port":3001}. SIGTERM and SIGINT end the server.
import { randomBytes } from "node:crypto";
import { createApp } from "./app.js";

const env = process.env;
const secret = (name) => env[name] || randomBytes(32).toString("hex");
const number = (name, otherwise) => (env[name] ? Number(env[name]) : otherwise);

const app = createApp({
  accessSecret: secret("ACCESS_TOKEN_SECRET"),
  refreshSecret: secret("REFRESH_TOKEN_SECRET"),
  accessTTL: number("ACCESS_TTL", 15 * 60),
  refreshTTL: number("REFRESH_TTL", 7 * 24 * 3600),
  refreshLimit: number("REFRESH_LIMIT", 100),
  refreshWindow: number("REFRESH_WINDOW", 60),
  production: env.NODE_ENV === "production",
});

const server = app.listen(number("PORT", 3001), "127.0.0.1", (err) => {
  if (err) throw err;
  console.log(JSON.stringify({ port: server.address().port }));
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
