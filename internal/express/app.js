// The routes. Users and items live in memory, as they do in the tutorials.
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import cookieParser from "cookie-parser";
import express, { Router } from "express";
import { rateLimit } from "express-rate-limit";
import { Tokens } from "./tokens.js";

const COOKIE = "refreshToken";
const PAGE = fileURLToPath(new URL("../browser/page.html", import.meta.url));

// createApp returns the Express application; settings are described in server.js.
export function createApp(settings) {
  const users = [
    { id: "1", name: "Ada", email: "ada@example.com", password: "analytical", version: 0, live: new Set() },
    { id: "2", name: "Grace", email: "grace@example.com", password: "compiler", version: 0, live: new Set() },
  ];
  const tokens = new Tokens(settings, users);
  const app = express();
  app.use(express.json());
  app.use(cookieParser());
  app.get("/", (req, res) => res.sendFile(PAGE));
  app.use("/auth", authRoutes(settings, users, tokens));
  app.use("/api", requireAccessToken(tokens), apiRoutes());
  app.use((err, req, res, next) => res.status(err.status || 500).json({ error: err.message }));
  return app;
}

function authRoutes(settings, users, tokens) {
  // Path /auth and not /auth/refresh: logout has to get the cookie too.
  const cookie = { httpOnly: true, secure: settings.production, sameSite: "strict", path: "/auth" };
  const refuse = (res, error) => res.clearCookie(COOKIE, cookie).status(403).json({ error });
  const response = (res, user) => {
    const { accessToken, refreshToken } = tokens.issue(user);
    res.cookie(COOKIE, refreshToken, { ...cookie, maxAge: settings.refreshTTL * 1000 });
    res.json({ accessToken, user: publicUser(user) });
  };
  const router = Router();

  router.post("/login", (req, res) => {
    const { email, password } = req.body ?? {};
    const user = users.find((u) => u.email === email && u.password === password);
    if (!user) return res.status(401).json({ error: "wrong email or password" });
    response(res, user);
  });

  router.post("/refresh", refreshLimiter(settings), (req, res) => {
    const token = req.cookies[COOKIE];
    if (!token) return res.status(401).json({ error: "no refresh token" });
    let user;
    try {
      user = tokens.spend(token);
    } catch (err) {
      return refuse(res, err.message);
    }
    response(res, user);
  });

  router.post("/logout", (req, res) => {
    try {
      tokens.spend(req.cookies[COOKIE]);
    } catch {
      // Already logged out, which is what was asked for.
    }
    res.clearCookie(COOKIE, cookie).sendStatus(204);
  });

  return router;
}

function refreshLimiter({ refreshLimit, refreshWindow }) {
  return rateLimit({
    limit: refreshLimit,
    windowMs: refreshWindow * 1000,
    standardHeaders: "draft-6",
    legacyHeaders: false,
    message: { error: "too many refreshes" },
  });
}

function requireAccessToken(tokens) {
  return (req, res, next) => {
    const [scheme, token] = (req.get("Authorization") ?? "").split(" ");
    if (scheme !== "Bearer" || !token) return res.status(401).json({ error: "no access token" });
    try {
      req.user = tokens.access(token);
    } catch {
      return res.status(403).json({ error: "access token expired or invalid" });
    }
    next();
  };
}

function apiRoutes() {
  const items = [];
  const mine = (req) => items.filter((item) => item.owner === req.user.id);
  const router = Router();

  router.get("/me", (req, res) => res.json(publicUser(req.user)));

  router.get("/items", (req, res) => res.json(mine(req)));

  router.post("/items", (req, res) => {
    const { title } = req.body ?? {};
    if (!title) return res.status(400).json({ error: "title missing" });
    const item = { id: randomUUID(), owner: req.user.id, title };
    items.push(item);
    res.status(201).json(item);
  });

  router.delete("/items/:id", (req, res) => {
    const at = items.findIndex((item) => item.id === req.params.id && item.owner === req.user.id);
    if (at < 0) return res.status(404).json({ error: "no such item" });
    items.splice(at, 1);
    res.sendStatus(204);
  });

  return router;
}

const publicUser = ({ id, name, email }) => ({ id, name, email });
