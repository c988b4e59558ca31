// Tokens: short-lived access tokens that nobody stores, and one-use refresh tokens.
import { randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";

export class Tokens {
  constructor({ accessSecret, refreshSecret, accessTTL, refreshTTL }, users) {
    Object.assign(this, { accessSecret, refreshSecret, accessTTL, refreshTTL, users });
  }

  // issue starts or continues a session of user. Each refresh token counts once: live has those not yet used.
  issue(user) {
    const claims = { version: user.version };
    const jti = randomUUID();
    user.live.add(jti);
    return {
      accessToken: jwt.sign(claims, this.accessSecret, { subject: user.id, expiresIn: this.accessTTL }),
      refreshToken: jwt.sign(claims, this.refreshSecret, { subject: user.id, jwtid: jti, expiresIn: this.refreshTTL }),
    };
  }

  // access returns the user whose access token this is. It throws if the token is expired, forged or of an older
  // version.
  access(token) {
    return this.#owner(token, this.accessSecret).user;
  }

  // spend uses up a refresh token and returns its user. A token that comes a second time has leaked: then every
  // token that the user has stops counting, whoever holds it.
  spend(token) {
    const { user, claims } = this.#owner(token, this.refreshSecret);
    if (!user.live.delete(claims.jti)) {
      this.revokeAll(user);
      throw new Error("refresh token reused");
    }
    return user;
  }

  // revokeAll ends all sessions of user.
  revokeAll(user) {
    user.version++;
    user.live.clear();
  }

  #owner(token, secret) {
    const claims = jwt.verify(token, secret, { algorithms: ["HS256"] });
    const user = this.users.find((u) => u.id === claims.sub);
    if (!user || user.version !== claims.version) throw new Error("token revoked");
    return { user, claims };
  }
}
