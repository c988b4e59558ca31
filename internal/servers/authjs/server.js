// An Express application on Auth.js with its credentials provider and sessions that are JWTs in a cookie. LIFE is their
// life in seconds. The cookie has the name that it has over https.
import { ExpressAuth, getSession } from "@auth/express";
import Credentials from "@auth/express/providers/credentials";
import express from "express";

const revoked = new Set(); // ids of users whose sessions so far are over
const users = new Map([["ada", { id: "1", name: "ada", email: "ada@example.com" }]]);

const config = {
  secret: "signs the sessions of these tests",
  basePath: "/api/auth",
  trustHost: true,
  useSecureCookies: true,
  session: { strategy: "jwt", maxAge: Number(process.env.LIFE), updateAge: 0 },
  logger: { error() {}, warn() {} },
  providers: [
    Credentials({
      credentials: { email: {}, password: { type: "password" } },
      authorize({ email, password }) {
        const user = [...users.values()].find((u) => u.email === email);
        return user && password === "analytical engine" ? user : null;
      },
    }),
  ],
  callbacks: {
    jwt({ token, user }) {
      if (user) revoked.delete(user.id); // a login begins a new session
      return revoked.has(token.sub) ? null : token;
    },
  },
};

const app = express();
app.use("/api/auth", ExpressAuth(config));

app.get("/me", async (req, res) => {
  const session = await getSession(req, config);
  if (!session?.user) return res.sendStatus(401);
  res.json({ name: session.user.name });
});

app.post("/test/revoke", (req, res) => {
  revoked.add(users.get(req.query.user).id);
  res.sendStatus(204);
});

const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => process.exit()).resume();
