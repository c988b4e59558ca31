// A Feathers API with local logins. LIFE is the life of access tokens in seconds.
import { AuthenticationService, JWTStrategy, authenticate } from "@feathersjs/authentication";
import { LocalStrategy, hooks } from "@feathersjs/authentication-local";
import express, { errorHandler, json, rest } from "@feathersjs/express";
import { feathers } from "@feathersjs/feathers";
import { MemoryService } from "@feathersjs/memory";

const app = express(feathers());
app.use(json());
app.configure(rest());
app.set("authentication", {
  secret: "signs access tokens in these tests",
  entity: "user",
  service: "users",
  authStrategies: ["jwt", "local"],
  jwtOptions: { header: { typ: "access" }, algorithm: "HS256", expiresIn: `${process.env.LIFE}s` },
  local: { usernameField: "email", passwordField: "password" },
});

app.use("users", new MemoryService(), { methods: ["get", "find"] });
app.service("users").hooks({
  before: { create: [hooks.hashPassword("password")], get: [authenticate("jwt")], find: [authenticate("jwt")] },
  after: { all: [hooks.protect("password")] },
});

const authentication = new AuthenticationService(app);
authentication.register("jwt", new JWTStrategy());
authentication.register("local", new LocalStrategy());
app.use("authentication", authentication);

// Feathers has no sessions to end: what can be done is to remove the user.
app.post("/test/revoke", async (req, res, next) => {
  try {
    const users = app.service("users");
    for (const user of await users.find({ query: { email: `${req.query.user}@example.com` } })) await users.remove(user.id);
    res.sendStatus(204);
  } catch (err) {
    next(err);
  }
});
app.use(errorHandler({ logger: false }));

const server = await app.listen(0, "127.0.0.1");
await app.service("users").create({ email: "ada@example.com", password: "analytical engine" });
console.log(JSON.stringify({ port: server.address().port }));
process.stdin.on("end", () => process.exit()).resume();
