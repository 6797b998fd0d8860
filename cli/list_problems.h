/* The list verb's problems: all in a line each, or one with its settings. */
#ifndef CLI_LIST_PROBLEMS_H
#define CLI_LIST_PROBLEMS_H

#include <lab/problem.h>

#include <jansson.h>

void list_print_problems(void);
void list_print_problem(const struct lab_problem *problem);

/* NULL when memory is short. */
json_t *list_problems_json(void);
json_t *list_problem_json(const struct lab_problem *problem);

#endif
