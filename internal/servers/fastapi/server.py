"""A FastAPI with the form login of FastAPI's tutorial, which has no refresh, on Debian's packages.

LIFE is the life of access tokens in seconds.
"""

import json
import os
import socket
import sys
import threading
from datetime import datetime, timedelta, timezone

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm

LIFE = timedelta(seconds=int(os.environ["LIFE"]))
SECRET = "signs the tokens of these tests"
users = {"ada": "analytical engine"}

app = FastAPI()
oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")


@app.post("/token")
def login(form: OAuth2PasswordRequestForm = Depends()):
    if users.get(form.username) != form.password:
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": form.username, "exp": datetime.now(timezone.utc) + LIFE}
    return {"access_token": jwt.encode(claims, SECRET, algorithm="HS256"), "token_type": "bearer"}


def current_user(token: str = Depends(oauth2_scheme)):
    try:
        user = jwt.decode(token, SECRET, algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        user = None
    if user not in users:
        raise HTTPException(401, "Could not validate credentials", {"WWW-Authenticate": "Bearer"})
    return user


@app.get("/users/me")
def me(user: str = Depends(current_user)):
    return {"username": user}


@app.post("/test/revoke", status_code=204)
def revoke(user: str):
    """Removes the user: there are no sessions to end."""
    del users[user]


listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
sys.stdin.read()
