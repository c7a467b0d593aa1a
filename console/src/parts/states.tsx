// What a page shows while it loads, when it is empty, and when it could not be loaded.
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useWords } from "../i18n";
import { Button } from "./controls";
import { Icon, type IconName } from "./icon";
import { ErrorBanner } from "./problem";
import "./states.css";

export function Loading({ rows = 3, height = 84 }: { rows?: 1 | 3 | 6; height?: 84 | 56 }) {
  const { t } = useWords();
  return (
    <div className="skeletons" role="status" aria-label={t("loading")}>
      {Array.from({ length: rows }, (_, row) => <SkeletonCard key={row} height={height} />)}
    </div>
  );
}

/** What stands where a card will be, as high as it. */
export function SkeletonCard({ height = 84 }: { height?: 84 | 56 }) {
  return (
    <div className={height === 84 ? "card skeleton h84" : "card skeleton"} aria-hidden="true">
      <span className="round" />
      <span />
      <span />
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useWords();
  // Asking again changes nothing about what is not there, or not for this person.
  const settled = error instanceof ApiError && (error.status === 403 || error.status === 404);
  return (
    <div className="card pad stack">
      <ErrorBanner error={error} />
      {retry && !settled ? (
        <div>
          <Button icon="reset" onPress={retry}>
            {t("retry")}
          </Button>
        </div>
      ) : null}
    </div>
  );
}

/** `whole`: where it stands for a whole page, and its title is the heading of that page. */
export function Empty(
  { title, children, icon, actions, whole }: { title: string; children?: ReactNode; icon?: IconName; actions?: ReactNode; whole?: boolean },
) {
  return (
    <div className="card empty">
      {icon ? (
        <span className="glyph">
          <Icon name={icon} />
        </span>
      ) : null}
      {whole ? <h1>{title}</h1> : <h2>{title}</h2>}
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
