// Pages behind a login form: express-session, and a token against forgery in a hidden field. LIFE is the life of an idle
// session in seconds, and CSRF says who makes the token: csurf, which keeps its secret in the session, or csrf-csrf,
// which keeps it in a cookie.
import cookieParser from "cookie-parser";
import { doubleCsrf } from "csrf-csrf";
import csurf from "csurf";
import express from "express";
import session from "express-session";

const users = new Set(["ada", "grace"]);
const password = "analytical engine";
const store = new session.MemoryStore();

const app = express();
app.use(express.urlencoded({ extended: false }));
app.use(cookieParser());
app.use(
  session({
    secret: "signs session ids in these tests",
    store,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { maxAge: Number(process.env.LIFE) * 1000, httpOnly: true, sameSite: "lax" },
  }),
);
const csrf = { csurf: () => csurf(), "csrf-csrf": doubleSubmit }[process.env.CSRF]();

function doubleSubmit() {
  const { doubleCsrfProtection } = doubleCsrf({
    getSecret: () => "signs tokens against forgery in these tests",
    getSessionIdentifier: (req) => req.session.id,
    cookieName: "csrf",
    cookieOptions: { secure: false, sameSite: "lax" },
    getCsrfTokenFromRequest: (req) => req.body._csrf,
  });
  return doubleCsrfProtection;
}

// Nobody posts this from a page.
app.post("/test/revoke", (req, res) => {
  store.all((err, sessions) => {
    for (const [id, s] of Object.entries(sessions ?? {})) if (s.user === req.query.user) store.destroy(id);
    res.sendStatus(err ? 500 : 204);
  });
});

app.use(csrf);
const field = (req) => `<input type="hidden" name="_csrf" value="${req.csrfToken()}">`;

app.get("/login", (req, res) => {
  req.session.visited = true; // so that there is a session, and the token belongs to it
  res.send(`<!DOCTYPE html><form method="post" action="/login">${field(req)}
    <input name="username"><input name="password" type="password"><button>Log in</button></form>`);
});

app.post("/login", (req, res, next) => {
  const user = req.body.username;
  if (!users.has(user) || req.body.password !== password) return res.redirect("/login");
  req.session.regenerate((err) => {
    if (err) return next(err);
    req.session.user = user;
    req.session.save((err) => (err ? next(err) : res.redirect("/")));
  });
});

app.post("/logout", (req, res, next) => {
  req.session.destroy((err) => (err ? next(err) : res.redirect("/login")));
});

app.use((req, res, next) => (req.session.user ? next() : res.redirect("/login")));
app.get("/", (req, res) => res.send(`<!DOCTYPE html><p>Welcome, ${req.session.user}</p><form method="post" action="/logout">${field(req)}<button>Log out</button></form>`));
app.get("/me", (req, res) => res.json({ name: req.session.user }));

const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => process.exit()).resume();
