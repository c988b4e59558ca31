module.exports = () => ({
  "users-permissions": {
    config: {
      jwtSecret: "signs access tokens in these tests",
      jwtManagement: "refresh",
      sessions: { accessTokenLifespan: Number(process.env.LIFE), idleRefreshTokenLifespan: 1800, maxRefreshTokenLifespan: 3600 },
    },
  },
});
