import type { Problem } from "./types";

/** A failed request: what the API said, or what the network did. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly fields: { field: string; code: string; message: string }[];
  readonly backupId: string | undefined;

  constructor(p: Partial<Problem> & { status: number; code: string }) {
    super(p.detail || p.title || p.code);
    this.name = "ApiError";
    this.status = p.status;
    this.code = p.code;
    this.hint = p.hint;
    this.requestId = p.request_id;
    this.fields = p.errors ?? [];
    this.backupId = p.backup_id;
  }
}

/** The request never got an answer. Pages say it in the reader's language (`error.network`). */
export const NETWORK = "network";
/** Something that is not our API answered, e.g. a proxy with an HTML page (`error.not_api`). */
export const NOT_API = "not_api";

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && "title" in body;
}

/** Turns what openapi-fetch answers into data, or throws an ApiError. */
export function unwrap<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.response.ok && answer.error === undefined) return answer.data as T;
  throw toApiError(answer.error, answer.response);
}

export function toApiError(body: unknown, response: Response): ApiError {
  const requestId =
    response.headers.get("x-request-id") ?? response.headers.get("x-amzn-requestid") ?? undefined;
  if (isProblem(body)) return new ApiError({ ...body, request_id: body.request_id || requestId });
  return new ApiError({ status: response.status, code: NOT_API, request_id: requestId });
}
