"""A Flask API on Flask-JWT-Extended, whose refresh takes the refresh token as bearer, on Debian's packages.

LIFE is the life of access tokens in seconds.
"""

import json
import os
import sys
import threading
from datetime import timedelta

from flask import Flask, jsonify, request
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, get_jwt, get_jwt_identity, jwt_required
from werkzeug.serving import WSGIRequestHandler, make_server

USERS = {"ada@example.com": "analytical engine"}

app = Flask(__name__)
app.config["JWT_SECRET_KEY"] = "signs the tokens of these tests"
app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(seconds=int(os.environ["LIFE"]))
jwt = JWTManager(app)

generation = {email: 0 for email in USERS}  # of a user's tokens: those of an older one are revoked


@jwt.token_in_blocklist_loader
def is_revoked(header, claims):
    return claims["generation"] != generation[claims["sub"]]


@app.post("/auth/login")
def login():
    email = request.json.get("email")
    if email not in USERS or USERS[email] != request.json.get("password"):
        return jsonify(msg="Bad email or password"), 401
    claims = {"generation": generation[email]}
    return jsonify(
        access_token=create_access_token(identity=email, additional_claims=claims),
        refresh_token=create_refresh_token(identity=email, additional_claims=claims),
    )


@app.post("/refresh")
@jwt_required(refresh=True)
def refresh():
    claims = {"generation": get_jwt()["generation"]}
    return jsonify(access_token=create_access_token(identity=get_jwt_identity(), additional_claims=claims))


@app.delete("/auth/logout")
@jwt_required()
def logout():
    generation[get_jwt_identity()] += 1
    return jsonify(msg="Tokens revoked")


@app.get("/me")
@jwt_required()
def me():
    return jsonify(email=get_jwt_identity())


@app.post("/test/revoke")
def revoke():
    generation[request.args["user"] + "@example.com"] += 1
    return "", 204


class QuietHandler(WSGIRequestHandler):
    def log_request(self, *args):
        pass


server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"port": server.server_port}), flush=True)
sys.stdin.read()
