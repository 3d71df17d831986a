import * as z from "zod";
import { ServiceError } from "../errors.ts";
import type { Scheduler } from "../scheduler.ts";
import type { ScheduleResource } from "../resources.ts";
import type { Route } from "./protocols.ts";

const updateSchema = z.object({
  ScheduleExpression: z.string(),
  State: z.enum(["ENABLED", "DISABLED"]).default("ENABLED"),
  Target: z.object({ Arn: z.string() }),
});

/** No role is assumed here, so the ARN is made up. */
const localRoleArn = (targetArn: string): string => `arn:aws:iam::${targetArn.split(":")[4]}:role/local`;

const path = /^\/schedules\/([^/]+)$/;

/** EventBridge Scheduler's routes. An update can change a schedule's state only. */
export const schedulerRoutes: readonly Route<Scheduler>[] = [
  {
    method: "GET",
    path,
    answer: ({ names: [name = ""] }, scheduler) => {
      const schedule = find(scheduler, name);
      const { arn, expression, flexibleTimeWindow, targetArn, input, retryPolicy } = schedule;
      return {
        body: {
          Arn: arn,
          Name: schedule.name,
          GroupName: "default",
          ScheduleExpression: expression,
          ScheduleExpressionTimezone: "UTC",
          State: scheduler.isEnabled(schedule.logicalId) ? "ENABLED" : "DISABLED",
          FlexibleTimeWindow: flexibleTimeWindow,
          Target: {
            Arn: targetArn,
            RoleArn: localRoleArn(targetArn),
            Input: input,
            RetryPolicy: retryPolicy,
          },
        },
      };
    },
  },
  {
    method: "PUT",
    path,
    answer: ({ names: [name = ""], json }, scheduler) => {
      const schedule = find(scheduler, name);
      const parsed = updateSchema.safeParse(json());
      if (!parsed.success) throw new ServiceError("ValidationException", z.prettifyError(parsed.error));
      const { ScheduleExpression, State, Target } = parsed.data;
      if (ScheduleExpression !== schedule.expression || Target.Arn !== schedule.targetArn) {
        throw new ServiceError("ValidationException", "Only the state of a schedule can be changed locally.");
      }
      scheduler.setEnabled(schedule.logicalId, State === "ENABLED");
      return { body: { ScheduleArn: schedule.arn } };
    },
  },
];

function find(scheduler: Scheduler, name: string): ScheduleResource {
  const schedule = scheduler.schedules.find((one) => one.name === name);
  if (schedule !== undefined) return schedule;
  throw new ServiceError("ResourceNotFoundException", `Schedule ${name} does not exist.`, 404);
}
