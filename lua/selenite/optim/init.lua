-- sel.optim: optimizers and learning-rate schedules, named as in torch.optim.

local make = require "selenite.optim.optimizer"
local schedule = require "selenite.optim.schedule"

return {
  sgd = make "sgd",
  adam = make "adam",
  adamw = make "adamw",
  rmsprop = make "rmsprop",
  adagrad = make "adagrad",

  lambda_lr = schedule.lambda_lr,
  step_lr = schedule.step_lr,
  multi_step_lr = schedule.multi_step_lr,
  exponential_lr = schedule.exponential_lr,
  linear_lr = schedule.linear_lr,
  cosine_annealing_lr = schedule.cosine_annealing_lr,
  sequential_lr = schedule.sequential_lr,
  one_cycle_lr = require "selenite.optim.one_cycle",
  reduce_lr_on_plateau = require "selenite.optim.plateau",
}
