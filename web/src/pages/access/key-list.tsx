import { Ban, CircleCheck, Clock } from "lucide-react";
import { useTranslation } from "react-i18next";
import type { ApiKey } from "@/api/access";
import { useNow } from "@/app/now";
import { useFormat } from "@/format/use-format";
import { Button } from "@/ui/button";
import { Time } from "@/ui/time";

export type KeyState = "active" | "expired" | "revoked";

export function stateOf(key: ApiKey, now: number): KeyState {
  if (key.revoked_at) return "revoked";
  return key.expires_at && Date.parse(key.expires_at) <= now ? "expired" : "active";
}

const looks = {
  active: { icon: CircleCheck, tone: "text-ok" },
  expired: { icon: Clock, tone: "text-ink-3" },
  revoked: { icon: Ban, tone: "text-ink-3" },
};

/** The keys, newest first; those that work no more stay, so that one can see what there was. */
export function KeyList({ keys, onRevoke }: { keys: ApiKey[]; onRevoke: (key: ApiKey) => void }) {
  return (
    <ul className="card divide-y divide-line">
      {keys.map((key) => (
        <Row key={key.id} apiKey={key} onRevoke={onRevoke} />
      ))}
    </ul>
  );
}

function Row({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: (key: ApiKey) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const state = stateOf(apiKey, useNow());
  const { icon: Icon, tone } = looks[state];
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-[240px]">
        <p className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
          <span className="min-w-0 break-words font-medium">{apiKey.name}</span>
          <span className="rounded bg-sunken px-1.5 text-[12px] text-ink-2 leading-5">
            {t(`role.${apiKey.role}`)}
          </span>
          <span className={`inline-flex items-center gap-1 font-medium text-[13px] ${tone}`}>
            <Icon size={14} aria-hidden />
            {t(`access.state_${state}`)}
          </span>
        </p>
        <p className="flex flex-wrap gap-x-2 text-[13px] text-ink-2">
          <code className="break-all font-mono text-[12px] leading-5">{apiKey.prefix}_…</code>
          <span>
            {t("access.made_by", { email: apiKey.made_by })} <Time iso={apiKey.created_at} relative />
          </span>
        </p>
        <p className="text-[13px] text-ink-3">
          {apiKey.last_used_at ? (
            <>
              {t("access.used")} <Time iso={apiKey.last_used_at} relative />
            </>
          ) : (
            t("access.never_used")
          )}
          {state === "active" && apiKey.expires_at && (
            <> · {t("access.expires", { at: format.dateTime(apiKey.expires_at) })}</>
          )}
          {apiKey.logs_per_minute !== null && (
            <>
              {" · "}
              {t("access.limit", {
                count: apiKey.logs_per_minute,
                formatted: format.number(apiKey.logs_per_minute),
              })}
            </>
          )}
        </p>
      </div>
      {state !== "revoked" && (
        <Button aria-label={t("access.revoke_of", { name: apiKey.name })} onClick={() => onRevoke(apiKey)}>
          {t("access.revoke")}
        </Button>
      )}
    </li>
  );
}
