/** A port of which a test needs only this part. */
export const partOf = <Port>(part: NoInfer<Partial<Port>>): Port => part as Port;
