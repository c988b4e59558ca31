// A Strapi whose users have refresh tokens. LIFE is the life of access tokens in seconds, DATA the folder of the
// database.
process.env.STRAPI_TELEMETRY_DISABLED = "true";
const fs = require("node:fs");
const path = require("node:path");
const { createStrapi } = require("@strapi/core");

const user = "plugin::users-permissions.user";

async function main() {
  fs.mkdirSync(path.join(process.env.DATA, "uploads"));
  const strapi = await createStrapi({ appDir: __dirname, distDir: __dirname, serveAdminPanel: false }).load();
  const role = await strapi.db.query("plugin::users-permissions.role").findOne({ where: { type: "authenticated" } });
  await strapi.plugin("users-permissions").service("user").add({
    username: "ada", email: "ada@example.com", password: "analytical engine", provider: "local", confirmed: true, role: role.id,
  });
  strapi.server.router.post("/test/revoke", async (ctx) => {
    const { id } = await strapi.db.query(user).findOne({ where: { username: ctx.query.user } });
    await strapi.sessionManager("users-permissions").invalidateRefreshToken(String(id));
    ctx.status = 204;
  });
  await strapi.start();
  console.log(JSON.stringify({ port: strapi.server.httpServer.address().port }));
}

process.stdin.on("end", () => process.exit()).resume();
main();
