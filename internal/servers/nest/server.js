// A NestJS application on passport-jwt. LIFE is the life of access tokens in seconds, and MODE says where the refresh
// token is:
//
//   cookie  in an HttpOnly cookie for /auth
//   body    in the body of responses, and of the refresh
//   bearer  in the body of responses, and in Authorization for POST /refresh
//
// The user's record has a hash of the one refresh token that is valid, as in Nest's tutorials: each refresh replaces it.
// The decorators are called as functions, so that nothing has to be compiled.
import "reflect-metadata";
import { createHash, randomUUID } from "node:crypto";
import { Body, Controller, Delete, ForbiddenException, Get, HttpCode, Module, Post, Query, Req, Res, UnauthorizedException, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { AuthGuard, PassportModule, PassportStrategy } from "@nestjs/passport";
import cookieParser from "cookie-parser";
import { ExtractJwt, Strategy } from "passport-jwt";

const mode = process.env.MODE;
const life = Number(process.env.LIFE);
const accessSecret = randomUUID();
const refreshSecret = randomUUID();
const cookie = { httpOnly: true, sameSite: "strict", path: "/auth" };

const users = new Map(["ada", "grace"].map((name) => [name, { name, email: `${name}@example.com`, password: "analytical engine", refreshHash: null }]));
const hash = (token) => createHash("sha256").update(token).digest("hex");

const extractRefreshToken = {
  cookie: (req) => req.cookies?.refreshToken ?? null,
  body: ExtractJwt.fromBodyField("refreshToken"),
  bearer: ExtractJwt.fromAuthHeaderAsBearerToken(),
}[mode];

class AccessStrategy extends PassportStrategy(Strategy, "jwt") {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: accessSecret });
  }
  validate(claims) {
    return users.get(claims.sub) ?? null;
  }
}

class RefreshStrategy extends PassportStrategy(Strategy, "jwt-refresh") {
  constructor() {
    super({ jwtFromRequest: extractRefreshToken, secretOrKey: refreshSecret, passReqToCallback: true });
  }
  validate(req, claims) {
    const user = users.get(claims.sub);
    if (!user?.refreshHash || user.refreshHash !== hash(extractRefreshToken(req))) throw new ForbiddenException("Access Denied");
    return user;
  }
}

class AuthController {
  constructor(jwt) {
    this.jwt = jwt;
  }

  login(body, res) {
    const user = [...users.values()].find((u) => u.email === body.email && u.password === body.password);
    if (!user) throw new UnauthorizedException("Invalid credentials");
    return this.issue(user, res);
  }

  refresh(req, res) {
    return this.issue(req.user, res);
  }

  logout(req, res) {
    req.user.refreshHash = null;
    if (mode === "cookie") res.clearCookie("refreshToken", cookie);
  }

  revoke(user) {
    users.get(user).refreshHash = null;
  }

  me(req) {
    return { name: req.user.name };
  }

  issue(user, res) {
    const claims = { sub: user.name, jti: randomUUID() };
    const accessToken = this.jwt.sign(claims, { secret: accessSecret, expiresIn: life });
    const refreshToken = this.jwt.sign(claims, { secret: refreshSecret, expiresIn: "7d" });
    user.refreshHash = hash(refreshToken);
    if (mode !== "cookie") return { access_token: accessToken, refresh_token: refreshToken };
    res.cookie("refreshToken", refreshToken, { ...cookie, maxAge: 7 * 24 * 3600 * 1000 });
    return { accessToken };
  }
}

// route decorates a method with its route, its parameters' decorators and its guard.
function route(name, decorators, parameters = []) {
  const method = Object.getOwnPropertyDescriptor(AuthController.prototype, name);
  parameters.forEach((decorate, i) => decorate(AuthController.prototype, name, i));
  for (const decorate of decorators) decorate(AuthController.prototype, name, method);
}

const response = Res({ passthrough: true });
const byAccessToken = UseGuards(AuthGuard("jwt"));
const byRefreshToken = UseGuards(AuthGuard("jwt-refresh"));
route("login", [Post("auth/login")], [Body(), response]);
route("refresh", [Post(mode === "bearer" ? "refresh" : "auth/refresh"), byRefreshToken], [Req(), response]);
route("logout", mode === "cookie" ? [Post("auth/logout"), byRefreshToken] : [(mode === "bearer" ? Delete : Post)("auth/logout"), byAccessToken], [Req(), response]);
route("revoke", [Post("test/revoke"), HttpCode(204)], [Query("user")]);
route("me", [Get("me"), byAccessToken], [Req()]);
Controller()(AuthController);
Reflect.defineMetadata("design:paramtypes", [JwtService], AuthController);

class AppModule {}
Module({ imports: [PassportModule, JwtModule.register({})], controllers: [AuthController], providers: [AccessStrategy, RefreshStrategy] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ["warn", "error"] });
app.use(cookieParser());
await app.listen(0, "127.0.0.1");
console.log(JSON.stringify({ port: app.getHttpServer().address().port }));

process.stdin.on("end", () => process.exit()).resume();
