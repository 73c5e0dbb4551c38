#!/usr/bin/env python3
"""Writes Sources/Serving/openapi.json, the description of the server's routes.

    python3 Scripts/openapi.py

Shapes that several routes share stand here once. A test compares the paths with those that the server has.
"""
import json
import pathlib


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def obj(properties, required=(), extra=False):
    schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    if not extra:
        return schema
    return {**schema, "additionalProperties": extra}


def arr(items, **limits):
    return {"type": "array", "items": items, **limits}


STRING = {"type": "string"}
NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}
BOOL = {"type": "boolean"}
IDENTIFIER = {"type": "string", "minLength": 1, "maxLength": 512}
ONE_TEXT = {"oneOf": [STRING, arr(INTEGER, minItems=1)]}
INPUTS = {
    "oneOf": [STRING, arr(INTEGER, minItems=1), arr(ONE_TEXT, minItems=1)],
    "description": "A text, token ids of the model's vocabulary, or a list of either.",
}
TIME = {"oneOf": [NUMBER, STRING], "description": "Seconds since 1970, or RFC 3339."}
TRUNCATION = {
    "truncate": {"type": ["boolean", "null"]},
    "truncation_direction": {"type": "string", "enum": ["Left", "Right", "left", "right"]},
    "prompt_name": {"type": ["string", "null"]},
    "model": STRING,
}

LIST_FIELDS = {
    "k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
    "offset": {"type": "integer", "minimum": 0, "maximum": 10000, "default": 0},
    "exclude_seen": {"type": "boolean", "default": True},
    "diversity": {"type": "number", "minimum": 0, "maximum": 1, "default": 0},
    "explain": {"type": "boolean", "default": False},
}

schemas = {
    "Error": obj({"error": STRING, "error_type": STRING}, ["error", "error_type"]),
    "OpenAIError": obj(
        {
            "error": obj(
                {
                    "message": STRING,
                    "type": STRING,
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
                ["message", "type", "param", "code"],
            )
        },
        ["error"],
    ),
    "Features": {
        "type": "object",
        "description": "Columns of the item: strings, numbers, truth values, or lists of them.",
        "additionalProperties": {
            "oneOf": [STRING, NUMBER, BOOL, arr({"oneOf": [STRING, NUMBER, BOOL]})]
        },
    },
    "ItemBody": obj(
        {"text": STRING, "features": ref("Features"), "expires_at": TIME}, ["text"]
    ),
    "ItemStatus": obj({"item_id": STRING, "vectors": STRING}, ["item_id", "vectors"]),
    "Item": obj(
        {
            "item_id": STRING,
            "text": STRING,
            "features": ref("Features"),
            "expires_at": {"type": ["number", "null"]},
            "blocked": BOOL,
            "new": BOOL,
            "behaviors": INTEGER,
        },
        ["item_id", "text"],
    ),
    "Event": obj(
        {
            "user_id": {"oneOf": [IDENTIFIER, INTEGER]},
            "item_id": {"oneOf": [IDENTIFIER, INTEGER]},
            "label": {"type": "number", "minimum": -1e9, "maximum": 1e9},
            "rating": {"type": "number", "minimum": -1e9, "maximum": 1e9},
            "timestamp": TIME,
        },
        ["user_id", "item_id"],
    ),
    "Explanation": obj(
        {
            "parts": arr(
                obj({"name": STRING, "weight": NUMBER, "score": NUMBER, "contribution": NUMBER})
            ),
            "shift": NUMBER,
            "tower_score": NUMBER,
            "history": arr(
                obj(
                    {
                        "item_id": {
                            "type": ["string", "null"],
                            "description": "Null for the text of the request.",
                        },
                        "text": STRING,
                        "similarity": NUMBER,
                        "contribution": NUMBER,
                        "share": NUMBER,
                        "effect": {"type": ["number", "null"]},
                    }
                )
            ),
            "words": arr(
                obj(
                    {
                        "word": STRING,
                        "attribution": NUMBER,
                        "effect": {"type": ["number", "null"]},
                    }
                )
            ),
        }
    ),
    "RankedItem": obj(
        {
            "item_id": STRING,
            "rank": INTEGER,
            "score": NUMBER,
            "probability": NUMBER,
            "text": STRING,
            "new": BOOL,
            "explanation": ref("Explanation"),
        },
        ["item_id", "rank", "score", "text"],
    ),
    "RankedList": obj(
        {
            "user_id": STRING,
            "items": arr(ref("RankedItem")),
            "offset": INTEGER,
            "next_offset": {"type": ["integer", "null"]},
            "model_version": STRING,
        },
        ["items", "offset", "next_offset", "model_version"],
    ),
    "SimilarItem": obj(
        {"item_id": STRING, "rank": INTEGER, "similarity": NUMBER, "text": STRING, "new": BOOL},
        ["item_id", "similarity", "text"],
    ),
    "AudienceUser": obj(
        {"user_id": STRING, "rank": INTEGER, "score": NUMBER, "explanation": ref("Explanation")},
        ["user_id", "rank", "score"],
    ),
    "Model": obj({"id": STRING, "object": STRING, "created": INTEGER, "owned_by": STRING}),
}

MESSAGES = {
    400: "The body isn't what it should be.",
    401: "The API key is missing or wrong.",
    404: "There is no such item, user, model or path.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    422: "A field is wrong.",
    424: "The model can't do that.",
    429: "The queue is full; Retry-After says when to come back.",
    503: "The change could not be stored, or the server is stopping.",
    504: "The request waited too long.",
}
TAKEN = (400, 401, 408, 413, 422, 429, 503, 504)


def content(schema):
    return {"application/json": {"schema": schema}}


def responses(ok, errors, error="Error", status=200):
    result = {str(status): {"description": "Done.", "content": content(ok)}} if ok else {
        str(status): {"description": "Done."}
    }
    for code in errors:
        result[str(code)] = {"$ref": f"#/components/responses/{error}{code}"}
    return result


def post(summary, body, ok, tag, errors=TAKEN, error="Error", **more):
    return {
        "summary": summary,
        "tags": [tag],
        "requestBody": {"required": True, "content": content(body)},
        "responses": responses(ok, errors, error),
        **more,
    }


def get(summary, ok, tag, errors=(401,), parameters=(), error="Error"):
    return {
        "summary": summary,
        "tags": [tag],
        "parameters": list(parameters),
        "responses": responses(ok, errors, error),
    }


def query(name, schema, description=""):
    result = {"name": name, "in": "query", "required": False, "schema": schema}
    return {**result, "description": description} if description else result


def in_path(name, description):
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": IDENTIFIER,
    }


ITEM = in_path("id", "The item's id.")
USER = in_path("id", "The user's id.")
LIST_QUERY = [query(name, schema) for name, schema in LIST_FIELDS.items()] + [
    query("candidates", STRING, "all, warm, cold, or item ids with commas between them."),
    query("where", arr(STRING, maxItems=16), "COLUMN=VALUE; may be repeated."),
    query("block", arr(STRING), "An item that is left out; may be repeated."),
]
# What a list has that is for nobody.
PLAIN_QUERY = [
    parameter for parameter in LIST_QUERY
    if parameter["name"] not in ("exclude_seen", "diversity", "explain")
]
LIST_ERRORS = (401, 404, 422, 429, 504)

embed_body = obj(
    {
        "inputs": INPUTS,
        "normalize": {"type": "boolean", "default": True},
        "dimensions": {"type": "integer", "minimum": 1},
        **TRUNCATION,
    },
    ["inputs"],
)
similarity_inputs = obj(
    {"source_sentence": STRING, "sentences": arr(STRING, minItems=1)},
    ["source_sentence", "sentences"],
)
similarity_body = obj(
    {"inputs": similarity_inputs, "parameters": obj(TRUNCATION)}, ["inputs"]
)
rerank_body = obj(
    {
        "query": STRING,
        "texts": arr(STRING, minItems=1),
        "documents": arr(STRING, minItems=1),
        "raw_scores": BOOL,
        "return_text": BOOL,
        "return_documents": BOOL,
        "top_n": {"type": "integer", "minimum": 1},
        **TRUNCATION,
    },
    ["query"],
)
rerank_answer = {
    "oneOf": [
        arr(obj({"index": INTEGER, "score": NUMBER, "text": STRING}, ["index", "score"])),
        obj(
            {
                "object": STRING,
                "results": arr(obj({"index": INTEGER, "relevance_score": NUMBER})),
                "model": STRING,
                "usage": obj({"prompt_tokens": INTEGER, "total_tokens": INTEGER}),
            },
            ["results"],
        ),
    ]
}
openai_body = obj(
    {
        "model": STRING,
        "input": INPUTS,
        "encoding_format": {"type": "string", "enum": ["float", "base64"]},
        "dimensions": {"type": "integer", "minimum": 1},
        "user": STRING,
    },
    ["input"],
)
openai_answer = obj(
    {
        "object": STRING,
        "data": arr(
            obj(
                {
                    "object": STRING,
                    "index": INTEGER,
                    "embedding": {"oneOf": [arr(NUMBER), STRING]},
                },
                ["object", "index", "embedding"],
            )
        ),
        "model": STRING,
        "usage": obj({"prompt_tokens": INTEGER, "total_tokens": INTEGER}),
    },
    ["object", "data", "model", "usage"],
)
OPENAI = (400, 401, 404, 408, 413, 429, 503, 504)
VECTORS = arr(arr(NUMBER))
EMBED = (400, 401, 404, 408, 413, 422, 424, 429, 503, 504)


def openai_embeddings():
    return {
        "post": post(
            "Vectors of texts, as OpenAI gives them.", openai_body, openai_answer, "OpenAI", OPENAI,
            "OpenAIError",
        )
    }


def rerank(error="Error"):
    return {
        "post": post(
            "Texts ranked by the cosine of their vectors with the query's.", rerank_body,
            rerank_answer, "Vectors", EMBED, error,
        )
    }


PUBLIC = {"security": []}
list_body = obj(
    {
        "items": arr(IDENTIFIER, maxItems=1000),
        "text": {"type": "string", "minLength": 1},
        "features": ref("Features"),
        "candidates": {"oneOf": [{"type": "string", "enum": ["all", "warm", "cold"]}, arr(STRING)]},
        "where": {"oneOf": [{"type": "object"}, arr(STRING)]},
        "block": arr(STRING),
        **LIST_FIELDS,
    }
)
event_body = {
    "oneOf": [
        ref("Event"),
        arr(ref("Event"), maxItems=10000),
        obj({"events": arr(ref("Event"), maxItems=10000)}, ["events"]),
    ]
}
audience_users = arr(ref("AudienceUser"))

text_page = {"200": {"description": "A file of the page.", "content": {"text/html": {}}}}

paths = {
    "/v1/embeddings": openai_embeddings(),
    "/embeddings": openai_embeddings(),
    "/v1/models": {
        "get": get(
            "The models that can be asked for.",
            obj({"object": STRING, "data": arr(ref("Model"))}), "OpenAI", error="OpenAIError",
        )
    },
    "/v1/models/{model}": {
        "get": get(
            "One model.", ref("Model"), "OpenAI", (401, 404),
            [in_path("model", "The model's name.")], "OpenAIError",
        )
    },
    "/embed": {"post": post("Vectors of texts.", embed_body, VECTORS, "Vectors", EMBED)},
    "/embed_all": {
        "post": post(
            "A vector for each token of texts.",
            obj({"inputs": INPUTS, **TRUNCATION}, ["inputs"]), arr(VECTORS), "Vectors", EMBED,
        )
    },
    "/embed_sparse": {
        "post": post(
            "Sparse vectors, which this server's models don't have: always 424.",
            obj({"inputs": INPUTS}, ["inputs"]), VECTORS, "Vectors", EMBED,
        )
    },
    "/similarity": {
        "post": post(
            "Cosines of a text with others.", similarity_body, arr(NUMBER), "Vectors", EMBED
        )
    },
    "/rerank": rerank(),
    "/v1/rerank": rerank("OpenAIError"),
    "/predict": {
        "post": post(
            "Classes of texts, which this server's models don't have: always 424.",
            obj({"inputs": INPUTS}, ["inputs"]), arr(obj({})), "Vectors", EMBED,
        )
    },
    "/tokenize": {
        "post": post(
            "Tokens of texts, with the part of the text that each stands for.",
            obj({"inputs": INPUTS, "add_special_tokens": BOOL, "prompt_name": STRING}, ["inputs"]),
            arr(
                arr(
                    obj(
                        {
                            "id": INTEGER,
                            "text": STRING,
                            "special": BOOL,
                            "start": {"type": ["integer", "null"]},
                            "stop": {"type": ["integer", "null"]},
                        }
                    )
                )
            ),
            "Vectors", EMBED,
        )
    },
    "/decode": {
        "post": post(
            "Texts of token ids.",
            obj(
                {
                    "ids": {"oneOf": [arr(INTEGER, minItems=1), arr(arr(INTEGER, minItems=1))]},
                    "skip_special_tokens": BOOL,
                },
                ["ids"],
            ),
            arr(STRING), "Vectors", EMBED,
        )
    },
    "/": {
        "get": {
            "summary": "The page.", "tags": ["Server"], "responses": text_page, **PUBLIC,
        },
        "post": post(
            "As /embed, or /similarity when `inputs` is an object.",
            {"oneOf": [embed_body, similarity_body]}, {"oneOf": [VECTORS, arr(NUMBER)]}, "Vectors",
            EMBED,
        ),
    },
    "/page.css": {
        "get": {"summary": "The page's style.", "tags": ["Server"],
                "responses": {"200": {"description": "CSS.", "content": {"text/css": {}}}}, **PUBLIC}
    },
    "/page.js": {
        "get": {"summary": "The page's script.", "tags": ["Server"],
                "responses": {"200": {"description": "JavaScript.",
                                      "content": {"text/javascript": {}}}}, **PUBLIC}
    },
    "/favicon.ico": {
        "get": {"summary": "The page's icon.", "tags": ["Server"],
                "responses": {"200": {"description": "SVG.", "content": {"image/svg+xml": {}}}}, **PUBLIC}
    },
    "/users/{id}/recommendations": {
        "get": get(
            "The best items for a user.", ref("RankedList"), "Recommendations", LIST_ERRORS,
            [USER] + LIST_QUERY,
        )
    },
    "/recommendations": {
        "post": post(
            "The best items for somebody without a name, by items or by a text.", list_body,
            ref("RankedList"), "Recommendations", (400, 401, 404, 408, 413, 422, 429, 503, 504),
        )
    },
    "/items/{id}/similar": {
        "get": get(
            "Items like an item.",
            obj({"item_id": STRING, "items": arr(ref("SimilarItem")), "offset": INTEGER,
                 "next_offset": {"type": ["integer", "null"]}, "model_version": STRING}),
            "Recommendations", LIST_ERRORS, [ITEM] + PLAIN_QUERY,
        )
    },
    "/items/{id}/audience": {
        "get": get(
            "The users whom an item is for.",
            obj({"item_id": STRING, "users": audience_users, "offset": INTEGER,
                 "next_offset": {"type": ["integer", "null"]}, "model_version": STRING}),
            "Recommendations", LIST_ERRORS,
            [ITEM, query("k", LIST_FIELDS["k"]), query("offset", LIST_FIELDS["offset"]),
             query("include_owners", BOOL)],
        )
    },
    "/audience": {
        "post": post(
            "Whom a text that is no item yet would be for, and the items like it.",
            obj(
                {"text": {"type": "string", "minLength": 1}, "features": ref("Features"),
                 "k": LIST_FIELDS["k"], "explain": LIST_FIELDS["explain"]}, ["text"]
            ),
            obj({"users": audience_users, "similar": arr(ref("SimilarItem")),
                 "model_version": STRING}),
            "Recommendations",
        )
    },
    "/items": {
        "get": get(
            "Items whose id or text contains something, the newest first.",
            obj({"items": arr(ref("Item"))}), "Items", (401, 422),
            [query("q", STRING), query("limit", LIST_FIELDS["k"]),
             query("offset", {"type": "integer", "minimum": 0, "maximum": 2147483647})],
        ),
        "post": post(
            "Puts up to 256 items.",
            obj(
                {
                    "items": arr(
                        {"allOf": [ref("ItemBody"),
                                   obj({"item_id": {"oneOf": [IDENTIFIER, INTEGER]}},
                                       ["item_id"])]},
                        maxItems=256,
                    )
                },
                ["items"],
            ),
            obj({"items": arr(ref("ItemStatus"))}), "Items",
        ),
    },
    "/items/{id}": {
        "get": get("An item.", ref("Item"), "Items", (401, 404, 422), [ITEM]),
        "put": {
            **post("Adds an item or replaces its text and features.", ref("ItemBody"),
                   ref("ItemStatus"), "Items"),
            "parameters": [ITEM],
            "responses": {
                **responses(ref("ItemStatus"), TAKEN),
                "201": {"description": "The item is new.", "content": content(ref("ItemStatus"))},
            },
        },
        "delete": get(
            "Removes an item.", obj({"item_id": STRING, "deleted": BOOL}), "Items",
            (401, 404, 422, 429, 503, 504), [ITEM],
        ),
    },
    "/blocklist": {
        "get": get("Items that are never recommended.", obj({"items": arr(STRING)}), "Items")
    },
    "/blocklist/{id}": {
        "put": get(
            "Stops recommending an item.", obj({"item_id": STRING, "blocked": BOOL}), "Items",
            (401, 404, 422, 429, 503, 504), [ITEM],
        ),
        "delete": get(
            "Recommends an item again.", obj({"item_id": STRING, "blocked": BOOL}), "Items",
            (401, 404, 422, 429, 503, 504), [ITEM],
        ),
    },
    "/events": {
        "post": post(
            "Takes in behaviours: one, a list, or {\"events\": [...]}.", event_body,
            obj({"accepted": INTEGER, "unknown_items": INTEGER}, ["accepted"]), "Users",
        )
    },
    "/users": {
        "get": get(
            "Users, those with new events first.",
            obj({"users": arr(STRING), "offset": INTEGER, "next_offset": {"type": ["integer", "null"]}}),
            "Users", (401, 422),
            [query("prefix", STRING), query("limit", LIST_FIELDS["k"]),
             query("offset", {"type": "integer", "minimum": 0, "maximum": 2147483647, "default": 0})],
        )
    },
    "/users/{id}": {
        "get": get(
            "A user's history.",
            obj(
                {"user_id": STRING,
                 "history": arr(obj({"item_id": STRING, "text": STRING, "source": STRING}))}
            ),
            "Users", (401, 404, 422), [USER],
        ),
        "delete": get(
            "Forgets a user.", obj({"user_id": STRING, "forgotten": BOOL, "remaining": STRING}),
            "Users", (401, 404, 422, 429, 503, 504), [USER],
        ),
    },
    "/health": {"get": {**get("Whether the server answers.", None, "Server", ()), **PUBLIC}},
    "/ping": {"get": {**get("The same.", None, "Server", ()), **PUBLIC}},
    "/info": {"get": get("What the server is.", obj({"model_id": STRING}), "Server")},
    "/metrics": {
        "get": {
            "summary": "Metrics in Prometheus' format.", "tags": ["Server"],
            "responses": {"200": {"description": "Text.", "content": {"text/plain": {}}}}, **PUBLIC,
        }
    },
    "/openapi.json": {
        "get": {**get("This document.", obj({}), "Server", ()), **PUBLIC}
    },
    "/model": {"get": get("The model in use.", obj({"name": STRING, "version": STRING}), "Server")},
    "/model/report": {
        "get": {
            "summary": "The report of the model's training.", "tags": ["Server"],
            "responses": {
                **responses(None, (401, 404)),
                "200": {"description": "HTML.", "content": {"text/html": {}}},
            },
        }
    },
    "/admin/reload": {
        "post": get(
            "Takes up the version in use, if it changed.",
            obj({"reloaded": BOOL, "version": STRING}), "Server", (401, 422, 429, 503, 504),
        )
    },
}

document = {
    "openapi": "3.1.0",
    "info": {
        "title": "encoder",
        "version": "0.1.0",
        "description": "Vectors and recommendations over HTTP.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "security": [{}, {"bearer": []}, {"key": []}],
    "paths": paths,
    "components": {
        "schemas": schemas,
        "responses": {
            f"{error}{code}": {"description": text, "content": content(ref(error))}
            for error in ("Error", "OpenAIError")
            for code, text in MESSAGES.items()
        },
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        },
    },
}

target = pathlib.Path(__file__).parent.parent / "Sources/Serving/openapi.json"
target.write_text(json.dumps(document, separators=(",", ":")) + "\n")
