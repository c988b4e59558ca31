module.exports = () => ({
  host: "127.0.0.1",
  port: 0,
  app: { keys: ["signs the sessions of these tests"] },
  dirs: { public: process.env.DATA },
  logger: { updates: { enabled: false }, startup: { enabled: false } },
});
