/* ini.S - the texts of the parameter sets, so that no program needs the source tree
 * when it runs. params.c names them. */
    .section .rodata
#define SET(name, file)                                                                  \
    .globl name; .hidden name; .type name, %object; name: .incbin file; .byte 0;          \
    .size name, . - name

    SET(params_ini_aws_2026, "models/params/aws-2026.ini")
    SET(params_ini_aws_2012, "models/params/aws-2012.ini")
    SET(params_ini_ideal, "models/params/ideal.ini")
    .section .note.GNU-stack, "", %progbits
