"""`/v1/knowledge`: documents that agents may look up."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import (
    OpenAPIFormat,
    OpenAPIMediaType,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from engine.inference import InferenceError
from server.access.authority import Needs
from server.access.caller import caller_of
from server.access.denied import retry
from server.knowledge.desk import Desk
from server.knowledge.kinds import KINDS
from server.knowledge.library import LONGEST_QUESTION, Library
from server.knowledge.records import CollectionPage, DocumentPage, NewCollection, Results
from server.knowledge.upload import FORM, MOST_BODY_BYTES, Uploads
from server.refusals import refusals
from server.usage_routes import account_of
from storage import knowledge
from storage.accounts import FIRST
from storage.knowledge import Collection, Document

log = logging.getLogger(__name__)

AGENTS = [Needs("agents")]
PLAIN, NAMED = refusals(404), refusals(404)

Most = Annotated[int, QueryParameter(ge=1, le=1000)]
PAGE = 100
Few = Annotated[int, QueryParameter(ge=1, le=20)]
FEW = 5
Question = Annotated[str, QueryParameter(name="q", min_length=1, max_length=LONGEST_QUESTION)]

RETRY_MODEL_S = 5
KEEP_S = 60.0
"""For the database to take 20 MB."""

Asked = Request[Any, Any, Any]


@dataclass
class TakesADocument(Operation):
    """How OpenAPI says that a route takes a file."""

    def __post_init__(self) -> None:
        file = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": file}, required=["file"])
        kinds = {kind: OpenAPIMediaType(schema=file) for kind in KINDS}
        content = {FORM: OpenAPIMediaType(schema=form), **kinds}
        self.request_body = RequestBody(content=content, required=True)


def routes(library: Library, desk: Desk) -> list[HTTPRouteHandler]:
    """The handlers, bound to what is known."""
    database = library.database
    uploads = Uploads()

    @post("/v1/knowledge", guards=AGENTS, responses=PLAIN, summary="Make a collection")
    async def make_collection(data: JSONBody[NewCollection], request: Asked) -> Collection:
        """Of the account of the key."""
        owner = caller_of(request.scope).account_id or FIRST
        return await database.once(lambda c: knowledge.create(c, owner, data.name, data.language))

    @get("/v1/knowledge", guards=AGENTS, responses=PLAIN, summary="The collections")
    async def list_collections(
        request: Asked,
        account: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: Most = PAGE,
    ) -> CollectionPage:
        """Of the account of the key, an administrator's: of all, or the `account` that is named.
        Oldest first, so many of them; with `after`, a collection's id, those that follow it.
        """
        owner = account_of(caller_of(request.scope), account)
        found = await database.run(lambda c: knowledge.listed(c, owner, after, limit + 1))
        return CollectionPage(found[:limit], len(found) > limit)

    @get(
        "/v1/knowledge/{collection_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="A collection",
    )
    async def get_collection(collection_id: FromPath[str], request: Asked) -> Collection:
        """404 if there is none."""
        return await database.run(lambda c: knowledge.get(c, collection_id, owner_for(request)))

    @delete(
        "/v1/knowledge/{collection_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="Delete a collection",
    )
    async def delete_collection(collection_id: FromPath[str], request: Asked) -> None:
        """With its documents."""
        await database.once(
            lambda c: knowledge.delete(c, collection_id, owner_for(request)), KEEP_S
        )

    @post(
        "/v1/knowledge/{collection_id:str}/documents",
        guards=AGENTS,
        responses=refusals(404, 413),
        operation_class=TakesADocument,
        request_max_body_size=MOST_BODY_BYTES,
        summary="Add a document",
    )
    async def add_document(
        collection_id: FromPath[str], request: Asked, name: FromQuery[str | None] = None
    ) -> Response[Document]:
        """A text, Markdown, HTML or PDF of at most 20 MB, as the body with its content type or as
        the file of a form. It is read, cut into passages and embedded afterwards: ask how far it
        is. 201 for a new one; 200 for one that is there already, which stays as it is, unless it
        has failed: then it is read again.
        """
        owner = owner_for(request)
        await database.run(lambda c: knowledge.get(c, collection_id, owner))
        await library.prepare()
        came = await uploads.receive(request, name)
        document, new = await database.once(
            lambda c: knowledge.add(c, collection_id, came, owner), KEEP_S
        )
        if new:
            log.info(
                "document came",
                extra={"document": document.id, "bytes": document.size_bytes},
            )
            desk.put()
        return Response(document, status_code=201 if new else 200)

    @get(
        "/v1/knowledge/{collection_id:str}/documents",
        guards=AGENTS,
        responses=NAMED,
        summary="The documents of a collection",
    )
    async def list_documents(
        collection_id: FromPath[str],
        request: Asked,
        after: FromQuery[str | None] = None,
        limit: Most = PAGE,
    ) -> DocumentPage:
        """Oldest first, so many of them; with `after`, a document's id, those that follow it."""
        owner = owner_for(request)
        found = await database.run(
            lambda c: knowledge.documents(c, collection_id, owner, after, limit + 1)
        )
        return DocumentPage(found[:limit], len(found) > limit)

    @get(
        "/v1/knowledge/{collection_id:str}/documents/{document_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="A document, and how far it is",
    )
    async def get_document(
        collection_id: FromPath[str], document_id: FromPath[str], request: Asked
    ) -> Document:
        """`waiting`, `reading` (`embedded` of its `passages` can be found), `ready`, or `failed`
        with an `error` that says why.
        """
        return await database.run(
            lambda c: knowledge.document(c, document_id, collection_id, owner_for(request))
        )

    @delete(
        "/v1/knowledge/{collection_id:str}/documents/{document_id:str}",
        guards=AGENTS,
        responses=NAMED,
        summary="Delete a document",
    )
    async def delete_document(
        collection_id: FromPath[str], document_id: FromPath[str], request: Asked
    ) -> None:
        """With its passages, which are found no more."""
        owner = owner_for(request)
        remove = partial(knowledge.delete_document, account_id=owner)
        await database.once(lambda c: remove(c, document_id, collection_id), KEEP_S)

    @get(
        "/v1/knowledge/{collection_id:str}/search",
        guards=AGENTS,
        responses=NAMED,
        summary="Search a collection",
    )
    async def search(
        collection_id: FromPath[str], request: Asked, question: Question, limit: Few = FEW
    ) -> Results:
        """The passages nearest in meaning and those with the question's words, fused by their
        ranks; `limit` of them, best first.
        """
        owner = owner_for(request)
        await database.run(lambda c: knowledge.get(c, collection_id, owner))
        try:
            found = await library.search(question, [collection_id], account_id=owner, most=limit)
        except InferenceError as error:
            text = f"the embedding model does not answer ({error.code})"
            raise retry(503, "model_unavailable", text, RETRY_MODEL_S) from error
        return Results(found)

    return [
        make_collection,
        list_collections,
        get_collection,
        delete_collection,
        add_document,
        list_documents,
        get_document,
        delete_document,
        search,
    ]


def owner_for(request: Asked) -> str | None:
    """Whose collections are seen; None is everybody's."""
    return account_of(caller_of(request.scope), None)
