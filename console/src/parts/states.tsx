// What a page shows while it loads, when it is empty, and when something was refused.
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { type Words, useWords } from "../i18n";
import { Banner, Button } from "./controls";
import { Icon, type IconName } from "./icon";

/** A refusal in words: ours where the code is known, else what the server says. */
export function errorText(words: Words, error: unknown): string {
  if (!(error instanceof ApiError)) return words.t("error.unknown");
  if (error.status === 0) return words.t("error.offline");
  if (error.code === "permission_missing" || error.code === "permission_denied") return words.t("error.role", { detail: error.detail });
  if (error.code === "credentials_wrong") return words.t("error.signIn");
  if (error.code === "name_taken") return words.t("error.nameTaken");
  if (error.code === "password_wrong") return words.t("error.password");
  if (error.code === "last_administrator") return words.t("error.lastAdministrator");
  if (error.code === "code_spent") return words.t("error.code");
  if (error.status === 404) return words.t("error.notFound");
  if (error.status === 503) return words.t("error.unavailable");
  return error.detail;
}

export function ErrorBanner({ error }: { error: unknown }) {
  const words = useWords();
  if (!error) return null;
  const id = error instanceof ApiError ? error.requestId : undefined;
  return (
    <Banner tone="bad">
      {errorText(words, error)}
      {id ? <span className="faint nowrap mono"> {id}</span> : null}
    </Banner>
  );
}

export function Loading({ rows = 3, height = 84 }: { rows?: 1 | 3 | 6; height?: 84 | 56 }) {
  const { t } = useWords();
  return (
    <div className="cards" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className={`card skeleton h${height}`} aria-hidden="true">
          <span className="skel round" />
          <span className="skel a" />
          <span className="skel b" />
        </div>
      ))}
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useWords();
  return (
    <div className="card pad stack">
      <ErrorBanner error={error} />
      {retry ? (
        <div>
          <Button icon="reset" onPress={retry}>
            {t("retry")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

export function Empty({ title, children, icon, actions }: { title: string; children?: ReactNode; icon?: IconName; actions?: ReactNode }) {
  return (
    <div className="card empty">
      {icon ? (
        <span className="glyph">
          <Icon name={icon} />
        </span>
      ) : null}
      <h2>{title}</h2>
      {children ? <p>{children}</p> : null}
      {actions ? <div className="actions">{actions}</div> : null}
    </div>
  );
}

export function When({ moment }: { moment: string }) {
  const words = useWords();
  return (
    <time dateTime={moment} title={words.exact(moment)}>
      {words.relative(moment)}
    </time>
  );
}

export function Day({ moment }: { moment: string }) {
  const words = useWords();
  return (
    <time dateTime={moment} title={words.exact(moment)}>
      {words.date(moment)}
    </time>
  );
}
