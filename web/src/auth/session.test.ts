import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "@/api/types";
import { admin, sessionOf } from "@/test/fixtures";
import { SessionStore } from "./session";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const store = (refresh: (token: string) => Promise<Session> = () => Promise.reject({ status: 500 })) =>
  new SessionStore({ refresh });

describe("a session", () => {
  it("survives a reload of its tab and is not left on the device", async () => {
    store().signIn(sessionOf(admin), false);
    expect(localStorage.getItem("guarda.session")).toBeNull();
    await expect(store().token()).resolves.toBe("token-1");
  });

  it("is left on the device only when that was asked for", () => {
    store().signIn(sessionOf(admin), true);
    expect(localStorage.getItem("guarda.session")).toContain("token-1");
    expect(sessionStorage.getItem("guarda.session")).toBeNull();
  });

  it("is gone everywhere after signing out", async () => {
    const s = store();
    s.signIn(sessionOf(admin), true);
    s.signOut();
    expect(localStorage.getItem("guarda.session")).toBeNull();
    await expect(s.token()).resolves.toBeNull();
  });

  it("is exchanged before it expires, once for all who ask", async () => {
    const refresh = vi.fn(async () => sessionOf(admin, 3_600, "token-2"));
    const s = store(refresh);
    s.signIn(sessionOf(admin, 60), false);
    await expect(Promise.all([s.token(), s.token()])).resolves.toEqual(["token-2", "token-2"]);
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(refresh).toHaveBeenCalledWith("token-1");
  });

  it("is exchanged by itself when nobody asks", async () => {
    const refresh = vi.fn(async () => sessionOf(admin, 3_600, "token-2"));
    store(refresh).signIn(sessionOf(admin, 1_000), false);
    await vi.advanceTimersByTimeAsync(790_000);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  it("ends when the exchange is refused, and goes on when it did not arrive", async () => {
    const refused = store(() => Promise.reject({ status: 401 }));
    refused.signIn(sessionOf(admin, 60), false);
    await expect(refused.token()).resolves.toBeNull();

    const offline = store(() => Promise.reject({ status: 0 }));
    offline.signIn(sessionOf(admin, 60), false);
    await expect(offline.token()).resolves.toBe("token-1");
  });

  it("is not ended by a 401 to a token that was already replaced", () => {
    const s = store();
    s.signIn(sessionOf(admin, 3_600, "token-2"), false);
    s.refused("token-1");
    expect(s.user?.email).toBe(admin.email);
    s.refused("token-2");
    expect(s.user).toBeNull();
  });

  it("is not taken up when it has expired or is no session", () => {
    sessionStorage.setItem("guarda.session", JSON.stringify(sessionOf(admin, -1)));
    expect(store().user).toBeNull();
    sessionStorage.setItem("guarda.session", "{nonsense");
    expect(store().user).toBeNull();
  });
});
