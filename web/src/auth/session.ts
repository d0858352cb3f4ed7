import type { Session, User } from "@/api/types";

/**
 * Where the token lives. It is kept in memory, and copied to sessionStorage so
 * that a reload does not sign out; it is gone when the tab is closed. Only when
 * the person ticks "keep me signed in" does it go to localStorage, where other
 * tabs find it too. A cookie would be safer against script injection, but the
 * API takes bearer tokens only (API Gateway authorizer); what stands in for it
 * is a content security policy without inline scripts, tokens that live short,
 * and no third-party script on any page.
 */
export type SessionState = { session: Session | null; keep: boolean };

type Deps = {
  refresh: (token: string) => Promise<Session>;
  now?: () => number;
};

const key = "guarda.session";
/** A token is exchanged when less than this is left of it, or a fifth of its life. */
const refreshMargin = 120_000;

export class SessionStore {
  #state: SessionState = { session: null, keep: false };
  #listeners = new Set<() => void>();
  #refreshing: Promise<string | null> | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
    const kept = read("local");
    this.#state = kept ? { session: kept, keep: true } : { session: read("session"), keep: false };
    if (this.#state.session && this.#expired(this.#state.session))
      this.#state = { session: null, keep: false };
    this.#plan();
  }

  get = (): SessionState => this.#state;
  get user(): User | null {
    return this.#state.session?.user ?? null;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Follows sign-ins and sign-outs of other tabs; the returned function stops it. */
  watchTabs(): () => void {
    const onStorage = (event: StorageEvent) => {
      if (event.key !== key || event.storageArea !== storage("local")) return;
      const session = read("local");
      if (session) this.#set({ session, keep: true });
      else if (this.#state.keep) this.#set({ session: null, keep: false });
    };
    globalThis.addEventListener("storage", onStorage);
    return () => globalThis.removeEventListener("storage", onStorage);
  }

  signIn(session: Session, keep: boolean): void {
    this.#set({ session, keep });
    this.#write();
  }

  signOut(): void {
    this.#set({ session: null, keep: false });
    this.#write();
  }

  /** A 401 to an old token says nothing about the one that replaced it. */
  refused(token: string | null): void {
    if (token !== null && token === this.#state.session?.token) this.signOut();
  }

  /** The token, exchanged for a newer one first when it is about to expire. */
  async token(): Promise<string | null> {
    const { session } = this.#state;
    if (!session) return null;
    if (this.#expired(session)) {
      this.signOut();
      return null;
    }
    return this.#left(session) < refreshMargin ? this.renew() : session.token;
  }

  /** One exchange at a time; the old token stays in use when it fails for want of a network. */
  renew(): Promise<string | null> {
    const { session } = this.#state;
    if (!session) return Promise.resolve(null);
    this.#refreshing ??= this.#deps
      .refresh(session.token)
      .then((next) => {
        if (this.#state.session?.token !== session.token) return this.#state.session?.token ?? null;
        this.signIn(next, this.#state.keep);
        return next.token;
      })
      .catch((error: { status?: number }) => {
        if (error?.status === 401) this.refused(session.token);
        else this.#plan(30_000);
        return this.#state.session?.token ?? null;
      })
      .finally(() => {
        this.#refreshing = null;
      });
    return this.#refreshing;
  }

  #now = () => this.#deps.now?.() ?? Date.now();
  #left = (session: Session) => Date.parse(session.expires_at) - this.#now();
  #expired = (session: Session) => !(this.#left(session) > 0);

  #set(state: SessionState) {
    this.#state = state;
    this.#plan();
    for (const listener of this.#listeners) listener();
  }

  #plan(atLeast = 0) {
    clearTimeout(this.#timer);
    const { session } = this.#state;
    if (!session) return;
    const left = this.#left(session);
    const wait = Math.max(atLeast, left - Math.max(refreshMargin, left / 5));
    if (left > 0) this.#timer = setTimeout(() => void this.renew(), Math.min(wait, 2 ** 31 - 1));
  }

  #write() {
    const { session, keep } = this.#state;
    put("local", session && keep ? session : null);
    put("session", session && !keep ? session : null);
  }
}

function storage(kind: "local" | "session"): Storage | null {
  try {
    return kind === "local" ? globalThis.localStorage : globalThis.sessionStorage;
  } catch {
    return null;
  }
}

function read(kind: "local" | "session"): Session | null {
  try {
    const session = JSON.parse(storage(kind)?.getItem(key) ?? "null") as Session | null;
    return session?.token && session.user && !Number.isNaN(Date.parse(session.expires_at)) ? session : null;
  } catch {
    return null;
  }
}

function put(kind: "local" | "session", session: Session | null) {
  try {
    if (session) storage(kind)?.setItem(key, JSON.stringify(session));
    else storage(kind)?.removeItem(key);
  } catch {
    // Storage is full or switched off: the session lives in memory only.
  }
}
