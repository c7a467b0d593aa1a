// A page for operators: title, what it is for, what can be done.
import type { ReactNode } from "react";
import { useTitle } from "../parts/title";
import "./operator.css";

export function OperatorPage({ title, lead, actions, children }: { title: string; lead: string; actions?: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <main className="page" id="main">
      <div className="head">
        <div><h1>{title}</h1><p className="muted lead">{lead}</p></div>
        {actions ? <div className="actions">{actions}</div> : null}
      </div>
      {children}
    </main>
  );
}
