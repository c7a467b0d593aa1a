// A section of a page: what it is about at the left, its fields at the right; one column where it is narrow.
import type { ReactNode } from "react";

export function Section({ title, what, children }: { title: string; what?: ReactNode; children: ReactNode }) {
  return (
    <div role="group" className="sect" aria-label={title}>
      <div className="what">
        <h2>{title}</h2>
        {what ? <p>{what}</p> : null}
      </div>
      <div className="with">{children}</div>
    </div>
  );
}
